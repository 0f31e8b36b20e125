#include "config/settings.hpp"
#include "support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::config;
using namespace ferry::config::testing;

namespace {

struct bad_type {
  const char* body; // below [job_types.x]
  const char* where;
  int line;
  const char* what;
  const char* hint = "";
};

const bad_type bad_types[] = {
    {"", "job_types.x.command", 1, "is required", "--spec"},
    {"command = []", "job_types.x.command", 2, "is required"},
    {"command = \"true\"", "job_types.x.command", 2, "must be a list of texts, is \"true\"", "write [\"one\", \"two\"]"},
    {"command = [\"\"]", "job_types.x.command", 2, "must begin with a program"},
    {"command = [\"a\", 7]", "job_types.x.command[1]", 2, "must be text in quotes, is 7"},
    {"command = [\n\"a\",\n\"b\\u0000\"]", "job_types.x.command[1]", 4, "must not hold a NUL character"},
    {"command = [\"a\",\n\"{spce}\"]", "job_types.x.command[1]", 3, "{spce} is not a placeholder", "did you mean spec?"},
    {"command = [\"a{\"]", "job_types.x.command[0]", 2, "never closed"},
    {"command = [\"a\", \"b\"]\nshell = true", "job_types.x.command", 2, "must be one word when shell = true, has 2"},
    {"command = [\"{params.a...}\"]\nshell = true", "job_types.x.command[0]", 2, "cannot be used with shell = true"},
    {"comand = [\"a\"]\ncommand = [\"a\"]", "job_types.x.comand", 2, "is not an option", "did you mean command?"},
    {"command = [\"a\"]\nmax_items = 7", "job_types.x.max_items", 3, "is not an option"},
    {"command = [\"a\"]\nwarm_key = [\"model\"]", "job_types.x.warm_key", 3, "has no effect unless runner = \"worker\""},
    {"command = [\"a\"]\nkeep_alive = \"1h\"", "job_types.x.keep_alive", 3, "has no effect unless runner = \"worker\""},
    {"command = [\"a\"]\nrunner = \"worker\"\nprogress = \"tqdm\"", "job_types.x.progress", 4, "has no effect with runner"},
    {"command = [\"a\", \"{job_id}\"]\nrunner = \"worker\"", "job_types.x.command[1]", 2, "has no value for a worker"},
    {"command = [\"a\", \"{params.m}\"]\nrunner = \"worker\"\n[job_types.x.parameters]\nrequired = [\"m\"]\nproperties = { m = {} "
     "}",
     "job_types.x.command[1]", 2, "is not named by warm_key"},
    {"command = [\"a\"]\n[job_types.x.batch]\nsame = [\"steps\"]", "job_types.x.batch.same", 4,
     "unless batch.max_items is above 1"},
    {"command = [\"a\", \"{params.p}\"]\n[job_types.x.batch]\nmax_items = 2\n[job_types.x.parameters]\nrequired = [\"p\"]\n"
     "[job_types.x.parameters.properties]\np = { type = \"string\" }",
     "job_types.x.command[1]", 2, "{params.p} may differ between the jobs of a batch"},
    {"command = [\"a\"]\n[job_types.x.batch]\nmax_items = 0", "job_types.x.batch.max_items", 4, "must be at least 1, is 0"},
    {"command = [\"a\"]\n[job_types.x.batch]\nmax_items = 2\nwithin = { \"w\" = -1 }", "job_types.x.batch.within.w", 5,
     "must be a number from 0 to 1000000000, is -1"},
    {"command = [\"a\"]\n[job_types.x.batch]\nmax_items = 2\nwithin = { w.x = 1 }", "job_types.x.batch.within.w", 5,
     "must be a number", "put a dotted path in quotes"},
    {"command = [\"a\"]\n[job_types.x.batch]\nmax_items = 2\nsame = [\"stesp\"]\n[job_types.x.parameters.properties.steps]",
     "job_types.x.batch.same", 5, "names \"stesp\"", "did you mean"},
    {"command = [\"a\"]\nrunner = \"thread\"", "job_types.x.runner", 3, "must be one of \"process\", \"worker\", is \"thread\""},
    {"command = [\"a\"]\ndevice = \"tpu\"", "job_types.x.device", 3, "must be one of \"auto\", \"gpu\", \"cpu\", is \"tpu\""},
    {"command = [\"a\"]\nslots = 0", "job_types.x.slots", 3, "must be at least 1, is 0"},
    {"command = [\"a\"]\nslots = 257", "job_types.x.slots", 3, "must be at most 256, is 257"},
    {"command = [\"a\"]\nmemory_mib = -1", "job_types.x.memory_mib", 3, "must be at least 0, is -1"},
    {"command = [\"a\"]\nmemory_mib = \"8GiB\"", "job_types.x.memory_mib", 3, "must be a whole number"},
    {"command = [\"a\"]\nthreads = 2000", "job_types.x.threads", 3, "must be at most 1024, is 2000"},
    {"command = [\"a\"]\nmax_run_time = 90", "job_types.x.max_run_time", 3, "must be a duration such as \"90s\"", ""},
    {"command = [\"a\"]\nmax_run_time = \"90\"", "job_types.x.max_run_time", 3, "must be a duration"},
    {"command = [\"a\"]\nmax_run_time = \"s\"", "job_types.x.max_run_time", 3, "must be a duration"},
    {"command = [\"a\"]\nmax_run_time = \"-5s\"", "job_types.x.max_run_time", 3, "must be a duration"},
    {"command = [\"a\"]\nmax_run_time = \"1.5h\"", "job_types.x.max_run_time", 3, "must be a duration"},
    {"command = [\"a\"]\nmax_run_time = \"1 h\"", "job_types.x.max_run_time", 3, "must be a duration"},
    {"command = [\"a\"]\nmax_run_time = \"1m1h\"", "job_types.x.max_run_time", 3, "must be a duration"},
    {"command = [\"a\"]\nmax_run_time = \"1w\"", "job_types.x.max_run_time", 3, "must be a duration"},
    {"command = [\"a\"]\nmax_run_time = \"99999999999999999999d\"", "job_types.x.max_run_time", 3, "must be a duration"},
    {"command = [\"a\"]\nmax_run_time = \"9223372036854775807d\"", "job_types.x.max_run_time", 3, "must be a duration"},
    {"command = [\"a\"]\nmax_run_time = \"367d\"", "job_types.x.max_run_time", 3, "at most 366d, is \"367d\""},
    {"command = [\"a\"]\nmax_run_time = \"500ms\"", "job_types.x.max_run_time", 3, "must be a multiple of 1s"},
    {"command = [\"a\"]\ngrace = \"61m\"", "job_types.x.grace", 3, "at most 1h, is \"61m\""},
    {"command = [\"a\"]\nprogress = \"bar\"", "job_types.x.progress", 3, "must be one of"},
    {"command = [\"a\"]\nprogress = \"pattern\"", "job_types.x.progress_pattern", 1, "is required when progress = \"pattern\""},
    {"command = [\"a\"]\nprogress_pattern = \"(x)\"", "job_types.x.progress_pattern", 3, "has no effect unless"},
    {"command = [\"a\"]\nprogress = \"pattern\"\nprogress_pattern = \"(\"", "job_types.x.progress_pattern", 4,
     "is not a regular expression"},
    {"command = [\"a\"]\nprogress = \"pattern\"\nprogress_pattern = \"x\"", "job_types.x.progress_pattern", 4,
     "one group (a fraction or a percentage) or two"},
    {"command = [\"a\"]\nprogress = \"pattern\"\nprogress_pattern = \"(a)(b)(c)\"", "job_types.x.progress_pattern", 4, "has 3"},
    {"command = [\"a\"]\nenvironment = [\"A=1\"]", "job_types.x.environment", 3, "must be a table of texts, is a list", "NAME"},
    {"command = [\"a\"]\nenvironment = { A = 1 }", "job_types.x.environment.A", 3, "must be text in quotes, is 1"},
    {"command = [\"a\"]\nenvironment = { \"A=B\" = \"1\" }", "job_types.x.environment", 3, "names of letters, digits and _"},
    {"command = [\"a\"]\nenvironment = { 1A = \"1\" }", "job_types.x.environment", 3, "names of letters, digits and _"},
    {"command = [\"a\"]\nenvironment = { \"\" = \"1\" }", "job_types.x.environment", 3, "names of letters, digits and _"},
    {"command = [\"a\"]\nenvironment = { A = \"\\u0000\" }", "job_types.x.environment.A", 3, "must not hold a NUL"},
    {"command = [\"a\"]\nenvironment = { FERRY_SPEC = \"x\" }", "job_types.x.environment", 3, "must not set FERRY_SPEC"},
    {"command = [\"a\"]\nenvironment = { CUDA_VISIBLE_DEVICES = \"0\" }", "job_types.x.environment", 3,
     "must not set CUDA_VISIBLE_DEVICES"},
    {"command = [\"a\"]\ninherit_environment = [\"LD LIBRARY\"]", "job_types.x.inherit_environment", 3, "names of letters"},
    {"command = [\"a\"]\nenvironment = { A = \"1\" }\ninherit_environment = [\"A\"]", "job_types.x.inherit_environment", 4,
     "which environment sets"},
    {"command = [\"a\"]\nparameters = 1", "job_types.x.parameters", 3, "must be a JSON Schema written as a table, is 1"},
    {"command = [\"a\"]\nparameters = { properties = { d = { const = 2026-01-31 } } }", "job_types.x.parameters.properties.d.const",
     3, "must not be a date or time", "in quotes"},
    {"command = [\"a\"]\nparameters = { properties = { d = { maximum = inf } } }", "job_types.x.parameters.properties.d.maximum", 3,
     "must be a finite number"},
    {"command = [\"a\"]\n[job_types.x.parameters.properties]\nn = { type = \"integer\" }\nm = { type = \"intger\" }",
     "job_types.x.parameters/properties/m/type", 5, "must be one of string, integer", "did you mean integer?"},
    {"command = [\"a\"]\n[job_types.x.parameters.properties.n]\ntype = \"integer\"\nminimun = 1",
     "job_types.x.parameters/properties/n/minimun", 5, "is not a JSON Schema keyword", "did you mean minimum?"},
    {"command = [\"a\"]\n[job_types.x.parameters.properties.n]\ntype = \"integer\"\nmaximum = 3\ndefault = 4",
     "job_types.x.parameters/properties/n/default", 6, "the default breaks its own schema: must be at most 3, is 4"},
    {"command = [\"a\", \"{params.steps}\"]\n[job_types.x.parameters.properties]\nstep = { type = \"integer\", default = 1 }",
     "job_types.x.command[1]", 2, "names a parameter that the schema does not have", "did you mean step?"},
    {"command = [\"a\", \"{params.step}\"]\n[job_types.x.parameters.properties]\nstep = { type = \"integer\" }",
     "job_types.x.command[1]", 2, "a job may leave out", "required"},
    {"command = [\"a\", \"{params.w.y}\"]\n[job_types.x.parameters.properties.w]\ndefault = {}\nproperties = { x = { default = 1 } "
     "}",
     "job_types.x.command[1]", 2, "does not have"},
};

const char* const good_types[] = {
    "command = [\"true\"]",
    "command = [\"run\", \"{params.anything}\"]",
    "command = [\"run\", \"{params.list...}\", \"{{}}\"]",
    "command = [\"echo {params.x} > {dir}/out\"]\nshell = true",
    "command = [\"a\"]\nrunner = \"process\"\nmax_run_time = \"1h30m\"\ngrace = \"250ms\"",
    "command = [\"a\"]\nprogress = \"pattern\"\nprogress_pattern = \"step (\\\\d+)/(\\\\d+)\"",
    "command = [\"a\", \"{params.step}\"]\n[job_types.x.parameters]\nrequired = [\"step\"]\nproperties = { step = { type = "
    "\"integer\" } }",
    "command = [\"a\", \"{params.m}\"]\nrunner = \"worker\"\nwarm_key = [\"m\"]\n[job_types.x.batch]\nmax_items = 8\nsame = "
    "[\"s\"]\n"
    "within = { \"w.x\" = 0.1, y = 2 }\nsame_keys = [\"w\"]\nwindow = \"30s\"\nitems = \"ids\"",
    "command = [\"a\", \"{params.w.x}\"]\n[job_types.x.parameters.properties.w]\ndefault = {}\nproperties = { x = { default = 1 } "
    "}",
};

} // namespace

TEST_CASE("each bad job type is refused with line, key, value and bound") {
  const plain_environment plain;
  for (const auto& [body, where, line, what, hint] : bad_types) {
    CAPTURE(body);
    const auto parsed = parse("[job_types.x]\n" + std::string(body), "/etc/ferry.toml");
    REQUIRE_FALSE(parsed);
    INFO(to_string(parsed.error()));
    REQUIRE(parsed.error().problems.size() == 1);
    const problem& p = parsed.error().problems.front();
    CHECK(p.where == where);
    CHECK(p.line == line);
    CHECK(p.what.find(what) != std::string::npos);
    CHECK(p.hint.find(hint) != std::string::npos);
  }
}

TEST_CASE("good job types are taken") {
  const plain_environment plain;
  for (const char* body : good_types) {
    CAPTURE(body);
    const auto parsed = parse("[job_types.x]\n" + std::string(body), "/etc/ferry.toml");
    INFO((parsed ? "" : to_string(parsed.error())));
    CHECK(parsed);
  }
}

TEST_CASE("a job type's keys arrive in its fields") {
  const plain_environment plain;
  const auto parsed = parse(R"([job_types.my-type_2]
description = "does it"
command = ["run", "{spec}"]
device = "cpu"
slots = 2
memory_mib = 2048
threads = 3
environment = { A = "1", B = "" }
inherit_environment = ["LD_LIBRARY_PATH"]
max_run_time = "2h"
grace = "1500ms"
progress = "tqdm"
)",
                            "f.toml");
  REQUIRE(parsed);
  const job_type& type = *parsed->find_job_type("my-type_2");
  CHECK(type.name == "my-type_2");
  CHECK(type.description == "does it");
  CHECK(type.command == std::vector<std::string>{"run", "{spec}"});
  CHECK_FALSE(type.shell);
  CHECK(type.device == device_choice::cpu);
  CHECK(type.slots == 2);
  CHECK(type.memory_mib == 2048);
  CHECK(type.threads == 3);
  CHECK(type.environment == std::map<std::string, std::string>{{"A", "1"}, {"B", ""}});
  CHECK(type.inherit_environment == std::vector<std::string>{"LD_LIBRARY_PATH"});
  CHECK(type.watch.max_run_time == std::chrono::hours(2));
  CHECK(type.grace == std::chrono::milliseconds(1500));
  CHECK(type.progress == progress_source::tqdm);
  CHECK(type.parameters.validate({{"anything", {1, 2}}}));
}

TEST_CASE("a schema tells its properties in the order in which they are written") {
  const plain_environment plain;
  const auto schema_of = [](const std::string& body) {
    const auto read = parse("[job_types.x]\ncommand = [\"a\"]\n" + body, "f.toml");
    INFO(body);
    REQUIRE(read);
    return read->find_job_type("x")->parameters.source();
  };
  const json table = schema_of("[job_types.x.parameters.properties.source]\ntype = \"string\"\n"
                               "[job_types.x.parameters.properties]\nscale = {}\nmode = {}\n"
                               "weights = { type = \"object\", properties = { vis = {}, edge = {}, depth = {} } }\n"
                               "list = { items = { properties = { z = {}, a = {} } } }\n"
                               "[job_types.x.parameters.properties.again]\n");
  CHECK(table["x-order"] == json::array({"source", "scale", "mode", "weights", "list", "again"}));
  CHECK(table["properties"]["weights"]["x-order"] == json::array({"vis", "edge", "depth"}));
  CHECK(table["properties"]["list"]["items"]["x-order"] == json::array({"z", "a"}));
  CHECK_FALSE(table["properties"]["scale"].contains("x-order"));
  CHECK_FALSE(table["properties"].contains("x-order"));

  // Dotted keys name a property where they name it first; a property may be called "properties".
  const json dotted_keys =
      schema_of("parameters.properties.z.type = \"object\"\nparameters.properties.properties.type = \"object\"\n"
                "parameters.properties.b = {}\nparameters.properties.z.title = \"Z\"\n"
                "parameters.properties.properties.properties.q = {}\n");
  CHECK(dotted_keys["x-order"] == json::array({"z", "properties", "b"}));
  CHECK(dotted_keys["properties"]["properties"]["x-order"] == json::array({"q"}));
  CHECK_FALSE(dotted_keys["properties"].contains("x-order"));

  const json own = schema_of("[job_types.x.parameters]\nx-order = [\"b\"]\n[job_types.x.parameters.properties]\na = {}\nb = {}\n");
  CHECK(own["x-order"] == json::array({"b"}));
  CHECK_FALSE(
      parse("[job_types.x]\ncommand = [\"a\"]\n[job_types.x.parameters]\nx-order = [\"c\"]\nproperties = { a = {} }\n", "f.toml"));
}

TEST_CASE("names of job types are checked") {
  const plain_environment plain;
  const auto accepts = [](const std::string& name) {
    return parse("[job_types.\"" + name + "\"]\ncommand = [\"a\"]", "f.toml").has_value();
  };
  for (const char* good : {"a", "a1", "a-b", "a_b", "upscale2x"})
    CHECK(accepts(good));
  for (const char* bad : {"", "A", "aB", "1a", "_a", "-a", "a.b", "a b", "ä", "a/b", "../a", "a\\u0000"})
    CHECK_FALSE(accepts(bad));
  CHECK(accepts(std::string(63, 'a')));
  CHECK_FALSE(accepts(std::string(64, 'a')));
  CHECK_FALSE(parse("job_types = 1", "f.toml"));
  CHECK_FALSE(parse("job_types.a = 1", "f.toml"));
  CHECK_FALSE(parse("[[job_types.a]]\ncommand = [\"a\"]", "f.toml"));
}

TEST_CASE("the built-in command runs any argv and keeps its form") {
  const plain_environment plain;
  const settings s = defaults();
  const job_type& command = *s.find_job_type("command");
  CHECK(command.command == std::vector<std::string>{"{params.argv...}"});
  CHECK(command.device == device_choice::automatic);
  CHECK(command.slots == 1);
  CHECK(command.parameters.validate({{"argv", {"sleep", "1"}}}));
  CHECK(command.parameters.validate({{"argv", {"sleep", ""}}, {"cwd", "/tmp"}}));
  const json bad[] = {json::object(),
                      {{"argv", json::array()}},
                      {{"argv", "sleep"}},
                      {{"argv", {1}}},
                      {{"argv", {"a"}}, {"cwd", "tmp"}},
                      {{"argv", {"a"}}, {"cwd", ""}},
                      {{"argv", {"a"}}, {"dir", "/"}}};
  for (const json& params : bad) {
    CAPTURE(params.dump());
    CHECK_FALSE(command.parameters.validate(params));
  }

  const auto changed = parse(
      "[job_types.command]\ndevice = \"cpu\"\nslots = 2\nmemory_mib = 10\nthreads = 1\nmax_run_time = \"1h\"\ngrace = \"1s\"\n"
      "environment = { A = \"1\" }\ninherit_environment = [\"B\"]\n",
      "f.toml");
  INFO((changed ? "" : to_string(changed.error())));
  REQUIRE(changed);
  CHECK(changed->job_types.size() == 1);
  CHECK(changed->find_job_type("command")->slots == 2);
  CHECK(changed->find_job_type("command")->command == command.command);
  CHECK(changed->find_job_type("command")->watch.max_run_time == std::chrono::hours(1));

  for (const char* key : {"command = [\"a\"]", "shell = true", "parameters = {}", "description = \"mine\"", "progress = \"none\"",
                          "runner = \"process\""}) {
    CAPTURE(key);
    const auto refused = parse("[job_types.command]\n" + std::string(key), "f.toml");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().problems.front().what == "cannot be changed: command is built in");
    CHECK(refused.error().problems.front().line == 2);
  }
}

TEST_CASE("a job type that no configured device could take is refused") {
  const plain_environment plain;
  const auto refused = [](const char* devices, const char* type, const char* where) {
    const auto parsed = parse(std::string(devices) + "\n[job_types.x]\ncommand = [\"a\"]\n" + type, "f.toml");
    return !parsed && find_problem(parsed.error(), where) != nullptr;
  };
  CHECK(refused("devices.cpu.slots = 2", "device = \"cpu\"\nslots = 3", "job_types.x.slots"));
  CHECK(refused("devices.gpu.slots = 2", "device = \"gpu\"\nslots = 3", "job_types.x.slots"));
  CHECK(refused("devices.cpu.memory_mib = 100", "device = \"cpu\"\nmemory_mib = 101", "job_types.x.memory_mib"));
  CHECK(refused("devices.gpu.enabled = false", "device = \"gpu\"", "job_types.x.device"));
  CHECK_FALSE(refused("devices.cpu.slots = 2", "device = \"cpu\"\nslots = 2", "job_types.x.slots"));
  CHECK_FALSE(refused("devices.cpu.slots = 2", "slots = 3", "job_types.x.slots"));
}

TEST_CASE("the shipped job types take the parameters of their users") {
  const plain_environment plain;
  const auto loaded = load(source_file("config/ferry.example.toml"));
  REQUIRE(loaded);
  const auto filled = [&](const char* type, const json& params) {
    const auto valid = loaded->find_job_type(type)->parameters.validate(params);
    INFO(type << " " << params.dump() << (valid ? "" : to_string(valid.error())));
    REQUIRE(valid);
    return *valid;
  };
  const auto refuses = [&](const char* type, const json& params) {
    return !loaded->find_job_type(type)->parameters.validate(params);
  };

  const json inference = filled("inference", {{"prompt_ids", {"ps_12345"}}, {"weights", {{"vis", 1.0}, {"edge", 0.5}}}});
  CHECK(inference["num_steps"] == 25);
  CHECK(inference["guidance_scale"] == 4.0);
  CHECK(inference["weights"] == json{{"vis", 1.0}, {"edge", 0.5}, {"depth", 0.0}, {"seg", 0.0}});
  CHECK(filled("batch_inference", {{"prompt_ids", {"a", "b"}}})["weights"]["seg"] == 0.25);
  CHECK(refuses("inference", json::object()));
  CHECK(refuses("inference", {{"prompt_ids", {"a"}}, {"weights", {{"vis", 1.1}}}}));
  CHECK(refuses("inference", {{"prompt_ids", {"a", "a"}}}));
  CHECK(filled("enhancement", {{"prompt_ids", {"a"}}})["model"] == "pixtral");
  CHECK(filled("train", {{"dataset", "cakes"}})["rank"] == 64);
  CHECK(refuses("train", {{"dataset", "cakes"}, {"learning_rate", 0}}));

  CHECK(filled("upscale", {{"source", "/a/china.jpg"}}) ==
        json{{"source", "/a/china.jpg"}, {"model", "slim"}, {"scale", 2}, {"control_weight", 1.0}});
  CHECK(filled("upscale", {{"source", "job:12"}, {"output", "x.png"}, {"scale", 4}, {"prompt", "a city"}})["output"] == "x.png");
  CHECK(loaded->find_job_type("upscale")->parameters.job_result_paths() == std::vector<std::string>{"source"});
  CHECK(loaded->find_job_type("train")->parameters.job_result_paths() == std::vector<std::string>{"resume_from"});
  for (const char* source : {"", "china.jpg", "job:", "job:0", "job:1x", "/", "-i"}) {
    CAPTURE(source);
    CHECK(refuses("upscale", {{"source", source}}));
  }
  for (const char* output : {"../x.png", "", "-x.png", ".png", "a/b.png", "..", "/x.png"}) {
    CAPTURE(output);
    CHECK(refuses("upscale", {{"source", "/a.png"}, {"output", output}}));
  }
  CHECK(refuses("upscale", {{"source", "/a.png"}, {"scale", 5}}));
  CHECK(refuses("upscale", {{"source", "/a.png"}, {"model", "huge"}}));
  CHECK(refuses("upscale", {{"source", "/a.png"}, {"control_weight", 1.5}}));
  CHECK(refuses("upscale", {{"source", "/a.png"}, {"prompt_ids", {"a"}}}));
}
