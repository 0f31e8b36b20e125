#include "config/locations.hpp"
#include "support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::config;
using namespace ferry::config::testing;

TEST_CASE("without any configuration, data and socket are where XDG says") {
  const plain_environment plain;
  settings s = defaults();
  CHECK(s.storage.data_dir == "/home/ada/.local/share/ferry");
  CHECK(s.http.socket == "/home/ada/.local/share/ferry/ferry.sock");
  CHECK(s.http.tcp.token_file == "/home/ada/.local/share/ferry/token");
  CHECK(s.http.tcp.listen == "auto");
  REQUIRE(s.find_job_type("command") != nullptr);
  CHECK(s.find_job_type("nothing") == nullptr);

  const scoped_folder runtime;
  const scoped_variable data("XDG_DATA_HOME", "/srv/data"), run("XDG_RUNTIME_DIR", runtime.path().c_str());
  s = defaults();
  CHECK(s.storage.data_dir == "/srv/data/ferry");
  CHECK(s.http.socket == runtime.path() / "ferry.sock");
  CHECK(default_socket() == s.http.socket);
}

TEST_CASE("XDG folders that are relative or missing are ignored") {
  const plain_environment plain;
  const scoped_variable data("XDG_DATA_HOME", "data"), run("XDG_RUNTIME_DIR", "/nonexistent/run");
  const settings s = defaults();
  CHECK(s.storage.data_dir == "/home/ada/.local/share/ferry");
  CHECK(s.http.socket == "/home/ada/.local/share/ferry/ferry.sock");
}

TEST_CASE("without HOME, the user database says where home is") {
  const plain_environment plain;
  const scoped_variable home("HOME", nullptr);
  CHECK(home_directory().is_absolute());
}

TEST_CASE("the socket is the environment's, else the file's, else the default") {
  const plain_environment plain;
  const scoped_folder folder;
  const auto file = folder.write("ferry.toml", "[http]\nsocket = \"run/here.sock\"\n");
  const scoped_variable configuration("FERRY_CONFIG", file.c_str());
  CHECK(default_socket() == folder.path() / "run/here.sock");
  CHECK(load(file)->http.socket == folder.path() / "run/here.sock");
  {
    const scoped_variable socket("FERRY_SOCKET", "/tmp/there.sock");
    CHECK(default_socket() == "/tmp/there.sock");
    CHECK(load(file)->http.socket == folder.path() / "run/here.sock");
    CHECK(defaults().http.socket == "/tmp/there.sock");
  }
  {
    const auto data_only = folder.write("data.toml", "storage.data_dir = \"/srv/ferry\"\n");
    const scoped_variable other("FERRY_CONFIG", data_only.c_str());
    CHECK(default_socket() == "/srv/ferry/ferry.sock");
  }
  {
    const auto broken = folder.write("broken.toml", "[http\n");
    const scoped_variable other("FERRY_CONFIG", broken.c_str());
    CHECK(default_socket() == "/home/ada/.local/share/ferry/ferry.sock");
  }
  {
    const scoped_variable empty("FERRY_SOCKET", "");
    CHECK(default_socket() == folder.path() / "run/here.sock");
  }
}

TEST_CASE("the configuration file is the one named, else the user's") {
  const plain_environment plain;
  const scoped_folder folder;
  const scoped_variable home("HOME", folder.path().c_str());
  const auto own = folder.write(".config/ferry/ferry.toml", "");
  CHECK(find_config_file() == own);
  const auto xdg = folder.write("xdg/ferry/ferry.toml", "");
  const scoped_variable configuration("XDG_CONFIG_HOME", (folder.path() / "xdg").c_str());
  CHECK(find_config_file() == xdg);
  const scoped_variable named("FERRY_CONFIG", "/nonexistent/ferry.toml");
  CHECK(find_config_file() == "/nonexistent/ferry.toml");
  const auto loaded = load(find_config_file());
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code == error_code::not_found);
}

TEST_CASE("the certificates of nodes are kept beside the user's configuration") {
  const plain_environment plain;
  {
    const scoped_variable configuration("XDG_CONFIG_HOME", nullptr);
    CHECK(certificates_folder() == "/home/ada/.config/ferry/certs");
  }
  const scoped_variable configuration("XDG_CONFIG_HOME", "/srv/config");
  CHECK(certificates_folder() == "/srv/config/ferry/certs");
}

TEST_CASE("paths of a file are relative to its folder, and ~ is home") {
  const plain_environment plain;
  const scoped_folder folder;
  const auto file =
      folder.write("etc/ferry.toml", "[storage]\ndata_dir = \"../data/./x\"\n[log]\nfile = \"~/ferry.log\"\n"
                                     "[devices.gpu]\nnvml_library = \"lib/nvml.so\"\n[http.tcp]\ntoken_file = \"/run/token\"\n");
  const auto loaded = load(file);
  REQUIRE(loaded);
  CHECK(loaded->storage.data_dir == folder.path() / "data/x");
  CHECK(loaded->http.socket == folder.path() / "data/x/ferry.sock");
  CHECK(loaded->log.file == "/home/ada/ferry.log");
  CHECK(loaded->devices.gpu.nvml_library == (folder.path() / "etc/lib/nvml.so").string());
  CHECK(loaded->http.tcp.token_file == "/run/token");
  CHECK(parse("devices.gpu.nvml_library = \"libother.so.1\"", file)->devices.gpu.nvml_library == "libother.so.1");
}
