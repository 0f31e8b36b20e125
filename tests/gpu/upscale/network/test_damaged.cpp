#include "gpu/upscale/network/load.hpp"
#include "tests/gpu/upscale/references.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

// A copy of a model that tests may damage.
class copied_model {
public:
  explicit copied_model(const std::string& name = "tiny_rdn") {
    std::string folder = (fs::temp_directory_path() / "ferry-model-XXXXXX").string();
    folder_ = ::mkdtemp(folder.data());
    document = json::parse(bytes_of(fixtures() / name / "model.json"));
    shard = bytes_of(fixtures() / name / "group1-shard1of1.bin");
  }
  copied_model(const copied_model&) = delete;
  copied_model& operator=(const copied_model&) = delete;
  ~copied_model() { fs::remove_all(folder_); }

  json& layer(const std::string& name) {
    for (json& one : document["modelTopology"]["model_config"]["config"]["layers"])
      if (one["name"] == name)
        return one;
    throw std::runtime_error("no layer " + name);
  }
  json& settings(const std::string& name) { return layer(name)["config"]; }
  json& weights() { return document["weightsManifest"][0]["weights"]; }

  [[nodiscard]] result<network> load(int scale = 3) const {
    write("model.json", document.dump());
    write("group1-shard1of1.bin", shard);
    return load_network(folder_, "tiny", scale);
  }
  void write(const std::string& name, const std::string& bytes) const { std::ofstream(folder_ / name, std::ios::binary) << bytes; }
  [[nodiscard]] fs::path folder() const { return folder_; }

  json document;
  std::string shard;

private:
  fs::path folder_;
};

struct damage {
  const char* what;
  std::function<void(copied_model&)> make;
  std::vector<std::string> told; // all in the message
};

void check_refused(const result<network>& made, const std::vector<std::string>& told) {
  REQUIRE_FALSE(made);
  CHECK(made.error().code == error_code::damaged);
  for (const std::string& part : told) {
    INFO(made.error().what << " should tell: " << part);
    CHECK(made.error().what.find(part) != std::string::npos);
  }
}

} // namespace

TEST_CASE("a model whose copy nobody damaged loads") { CHECK(copied_model().load()); }

TEST_CASE("damaged and foreign layers are refused by name, with what was found and what was expected") {
  const std::vector<damage> all{
      {"an unknown kind", [](auto& m) { m.layer("UPN1")["class_name"] = "Conv3D"; }, {"model.json", "'UPN1'", "Conv3D"}},
      {"a stride",
       [](auto& m) {
         m.settings("F_0")["strides"] = {2, 2};
       },
       {"'F_0'", "strides = [2,2]", "[1,1]"}},
      {"a dilation",
       [](auto& m) {
         m.settings("F_0")["dilation_rate"] = {2, 2};
       },
       {"'F_0'", "dilation_rate"}},
      {"groups", [](auto& m) { m.settings("F_0")["groups"] = 2; }, {"'F_0'", "groups = 2"}},
      {"a kernel of 7",
       [](auto& m) {
         m.settings("F_0")["kernel_size"] = {7, 7};
       },
       {"'F_0'", "[7,7]", "[5,5]"}},
      {"no padding", [](auto& m) { m.settings("F_0")["padding"] = "valid"; }, {"'F_0'", "padding", "valid"}},
      {"another activation", [](auto& m) { m.settings("F_1_1_Relu")["activation"] = "tanh"; }, {"'F_1_1_Relu'", "tanh", "relu"}},
      {"no filters", [](auto& m) { m.settings("F_0").erase("filters"); }, {"'F_0'", "no 'filters'"}},
      {"too many filters", [](auto& m) { m.settings("F_0")["filters"] = 4096; }, {"'F_0'", "filters = 4096", "2048"}},
      {"filters as text", [](auto& m) { m.settings("F_0")["filters"] = "ten"; }, {"'F_0'", "filters = \"ten\""}},
      {"other filters than weights",
       [](auto& m) { m.settings("F_0")["filters"] = 11; },
       {"'F_0/kernel'", "[3, 3, 10, 10]", "[3, 3, 10, 11]"}},
      {"smooth enlarging",
       [](auto& m) { m.settings("UPsample")["interpolation"] = "bilinear"; },
       {"'UPsample'", "bilinear", "nearest"}},
      {"another axis", [](auto& m) { m.settings("LRLs_Concat")["axis"] = 1; }, {"'LRLs_Concat'", "axis = 1"}},
      {"a missing source", [](auto& m) { m.layer("F_0")["inbound_nodes"][0][0][0] = "F_9"; }, {"'F_0'", "'F_9'", "no such layer"}},
      {"a circle", [](auto& m) { m.layer("F_m1")["inbound_nodes"][0][0][0] = "GFF_2"; }, {"circle"}},
      {"a layer twice", [](auto& m) { m.layer("F_0")["name"] = "F_m1"; }, {"two layers", "'F_m1'"}},
      {"a convolution of two inputs",
       [](auto& m) {
         m.layer("F_0")["inbound_nodes"][0].push_back({"LR", 0, 0, json::object()});
       },
       {"'F_0'", "2 inputs"}},
      {"another output",
       [](auto& m) { m.document["modelTopology"]["model_config"]["config"]["output_layers"][0][0] = "GFF_2"; },
       {"'GFF_2'", "output"}},
      {"four colours in", [](auto& m) { m.settings("LR")["batch_input_shape"][3] = 4; }, {"'LR'", "batch_input_shape"}},
      {"no enlarging",
       [](auto& m) {
         m.settings("UPsample")["size"] = {1, 1};
       },
       {"'UPsample'", "enlarges by 1"}},
      {"another format", [](auto& m) { m.document["format"] = "graph-model"; }, {"graph-model", "layers-model"}},
      {"no topology", [](auto& m) { m.document.erase("modelTopology"); }, {"no 'modelTopology'"}},
      {"an activation of a sum", [](auto& m) { m.layer("F_2_1_Relu")["inbound_nodes"][0][0][0] = "LRL_2"; }, {"F_2_1_Relu"}},
  };
  for (const damage& one : all) {
    INFO(one.what);
    copied_model model;
    one.make(model);
    check_refused(model.load(), one.told);
  }
}

TEST_CASE("damaged weights are refused by name, with what was found and what was expected") {
  const std::vector<damage> all{
      {"a shard cut off", [](auto& m) { m.shard.resize(m.shard.size() - 4); }, {"group1-shard1of1.bin", "32000 bytes", "32004"}},
      {"a shard too long", [](auto& m) { m.shard += "more"; }, {"group1-shard1of1.bin", "32008 bytes", "32004"}},
      {"a shard of nothing", [](auto& m) { m.shard.clear(); }, {"group1-shard1of1.bin", "0 bytes"}},
      {"a shard that is missing",
       [](auto& m) { m.document["weightsManifest"][0]["paths"][0] = "other.bin"; },
       {"other.bin", "no such file"}},
      {"a shard elsewhere",
       [](auto& m) { m.document["weightsManifest"][0]["paths"][0] = "../secret.bin"; },
       {"paths", "../secret.bin", "beside"}},
      {"another type", [](auto& m) { m.weights()[0]["dtype"] = "float16"; }, {"'F_m1/kernel'", "float16", "float32"}},
      {"quantised weights",
       [](auto& m) {
         m.weights()[0]["quantization"] = {{"dtype", "uint8"}};
       },
       {"'F_m1/kernel'", "quantization"}},
      {"a weight less",
       [](auto& m) {
         m.weights().erase(m.weights().size() - 1);
         m.shard.resize(m.shard.size() - 12);
       },
       {"'SR/bias'", "missing"}},
      {"a weight of no layer",
       [](auto& m) {
         m.weights().push_back({{"name", "Z/bias"}, {"shape", {1}}, {"dtype", "float32"}});
         m.shard += std::string(4, '\0');
       },
       {"'Z/bias'", "no layer"}},
      {"a weight twice",
       [](auto& m) {
         m.weights().push_back({{"name", "SR/bias"}, {"shape", {1}}, {"dtype", "float32"}});
         m.shard += std::string(4, '\0');
       },
       {"'SR/bias'", "twice"}},
      {"an enormous shape",
       [](auto& m) {
         m.weights()[0]["shape"] = {2048, 2048, 2048, 2048};
       },
       {"'F_m1/kernel'", "above"}},
      {"a negative shape", [](auto& m) { m.weights()[0]["shape"][0] = -3; }, {"'F_m1/kernel'", "-3"}},
      {"not a number",
       [](auto& m) {
         const float bad = std::numeric_limits<float>::quiet_NaN();
         std::memcpy(m.shard.data() + 8, &bad, sizeof bad);
       },
       {"'F_m1/kernel'", "element 2"}},
  };
  for (const damage& one : all) {
    INFO(one.what);
    copied_model model;
    one.make(model);
    check_refused(model.load(), one.told);
  }
}

TEST_CASE("a model of another scale than asked for is refused") {
  check_refused(copied_model().load(2), {"enlarges by 3", "expected 2"});
}

TEST_CASE("a folder without model.json is told as not found") {
  const auto made = load_network(fixtures() / "nothing", "tiny", 2);
  REQUIRE_FALSE(made);
  CHECK(made.error().code == error_code::not_found);
}

TEST_CASE("a model.json cut off anywhere is refused") {
  const copied_model model;
  REQUIRE(model.load());
  const std::string whole = model.document.dump();
  for (std::size_t length = 0; length < whole.size(); length += 101) {
    model.write("model.json", whole.substr(0, length));
    INFO(length);
    check_refused(load_network(model.folder(), "tiny", 3), {"model.json"});
  }
}

TEST_CASE("a model.json with any one value replaced is read or refused, never worse") {
  copied_model model;
  const json whole = model.document;
  const json flat = whole.flatten();
  for (const auto& entry : flat.items())
    for (const json& other : {json(nullptr), json(-1), json("x"), json::array(), json(1e300)}) {
      model.document = whole;
      model.document[json::json_pointer(entry.key())] = other;
      const auto made = model.load();
      INFO(entry.key() << " = " << other.dump());
      CHECK((made || !made.error().what.empty()));
    }
}
