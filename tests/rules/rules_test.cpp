#include "tests/rules/rules.hpp"
#include "tests/rules/source_tree.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry::rules;

namespace {

std::string joined(const std::vector<std::string>& faults) {
  std::string all;
  for (const std::string& f : faults)
    all += "\n" + f;
  return all;
}

template <class Check>
std::string faults_of_tree(Check check, bool cpp_only) {
  const auto files = read_tree(FERRY_SOURCE_DIR);
  REQUIRE(files.size() > 100); // the tree was found
  std::string all;
  for (const source_file& file : files)
    if (!cpp_only || is_cpp(file))
      all += joined(check(file.path, file.text));
  return all;
}

std::size_t faults(std::string_view path, std::string_view line) { return check_includes(path, line).size(); }

} // namespace

TEST_CASE("every layer of the tree includes only the layers above it") { CHECK(faults_of_tree(check_includes, true) == ""); }

TEST_CASE("every source file of the tree is shorter than the bound") { CHECK(faults_of_tree(check_length, true) == ""); }

TEST_CASE("no file of the tree names a folder of one machine") { CHECK(faults_of_tree(check_absolute_paths, false) == ""); }

TEST_CASE("an include of a layer below, or beside, is a fault") {
  CHECK(faults("model/job.hpp", "#include \"config/settings.hpp\"\n") == 1);
  CHECK(faults("storage/job_store.cpp", "#include \"runners/run_spec.hpp\"\n") == 1);
  CHECK(faults("gpu/inventory.cpp", "  #  include \"storage/job_store.hpp\"") == 1);
  CHECK(faults("actors/queue_actor.cpp", "#include \"http/server.hpp\"\n") == 1);
  CHECK(faults("gpu/inventory.cpp", "#include \"gpu/upscale/compute/engine.hpp\"\n#include <cuda_runtime_api.h>\n") == 2);
  CHECK(faults("gpu/upscale/program/main.cpp", "#include \"gpu/inventory.hpp\"\n#include <caf/all.hpp>\n") == 2);
  CHECK(faults("cli/main.cpp", "#include \"actors/interfaces.hpp\"\n") == 1);
  CHECK(faults("cli/verbs/queue.cpp", "#include \"storage/job_reader.hpp\"\n") == 1);
  CHECK(faults("remote/certificates.cpp", "#include \"runners/run_spec.hpp\"\n") == 1);
  CHECK(faults("runners/run_control.cpp", "#include \"remote/certificates.hpp\"\n") == 1);
  CHECK(faults("scheduling/admission.hpp", "#include \"tests/support/clock.hpp\"\n") == 1);
}

TEST_CASE("an include of a layer above, or of the layer itself, is allowed") {
  CHECK(faults("scheduling/admission.hpp", "#include \"config/settings.hpp\"\n#include \"scheduling/job_queue.hpp\"\n") == 0);
  CHECK(faults("daemon/main.cpp", "#include \"http/server.hpp\"\n#include <spdlog/spdlog.h>\n") == 0);
  CHECK(faults("cli/direct_run.cpp", "#include \"runners/run_spec.hpp\"\n") == 0);
  CHECK(faults("actors/node_actor.hpp", "#include \"remote/certificates.hpp\"\n") == 0);
  CHECK(faults("tests/actors/restart_test.cpp", "#include \"actors/supervisor.hpp\"\n#include \"tests/support/files.hpp\"\n") == 0);
}

TEST_CASE("an include of our own that is not written from the root is a fault") {
  CHECK(faults("storage/job_store.cpp", "#include \"job_store.hpp\"\n") == 1);
  CHECK(faults("tests/storage/a_test.cpp", "#include \"../support/files.hpp\"\n") == 1);
  CHECK(faults("tests/storage/a_test.cpp", "#include \"storage_support.hpp\"\n") == 0);
}

TEST_CASE("the pure layers know neither actors, nor databases, nor files, nor clocks") {
  CHECK(faults("scheduling/batch_decision.cpp", "#include <caf/actor.hpp>\n") == 1);
  CHECK(faults("scheduling/batch_decision.cpp", "#include <spdlog/spdlog.h>\n") == 1);
  CHECK(faults("scheduling/batch_decision.cpp", "const auto now = std::chrono::system_clock::now();\n") == 1);
  CHECK(faults("cli/client.cpp", "#include <SQLiteCpp/Database.h>\n") == 1);
  CHECK(faults("scheduling/batch_decision.cpp", "#include <algorithm>\n// #include <caf/actor.hpp>\n") == 0);
}

TEST_CASE("a file of as many lines as the bound is a fault, one line fewer is not") {
  CHECK(check_length("model/a.cpp", std::string(source_lines_max, '\n')).size() == 1);
  CHECK(check_length("model/a.cpp", std::string(source_lines_max - 1, '\n')).empty());
}

TEST_CASE("a folder of one machine is found as a whole word at the beginning of a path only") {
  // Put together here, so that this file does not break the rule itself.
  const std::string work = std::string("/wo") + "rk", root = std::string("/ro") + "ot";
  CHECK(check_absolute_paths("a", "cd " + work).size() == 1);
  CHECK(check_absolute_paths("a", "see " + root + "/.cache and " + work + "/main").size() == 2);
  CHECK(check_absolute_paths("a", "\"" + work + "/x\"").size() == 1);
  CHECK(check_absolute_paths("a", work + "ers $HOME" + work + " ./" + work + " ${x}" + root + " a" + root).empty());
}
