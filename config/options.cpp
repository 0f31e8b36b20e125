#include "config/options.hpp"

#include "config/limits.hpp"

#include <stdexcept>
#include <type_traits>

namespace ferry::config {
namespace {

// The field that an accessor of a declaration leads to, as an option_value and back.
template <class Target, class Field>
option<Target> bind(declaration declared, Field& (*at)(Target&)) {
  option<Target> bound{std::move(declared), {}, {}};
  bound.get = [at](const Target& target) -> option_value {
    const Field& field = at(const_cast<Target&>(target)); // accessors hand out mutable references; this one is only read
    if constexpr (std::is_same_v<Field, bool>)
      return field;
    else if constexpr (std::is_integral_v<Field>)
      return std::int64_t{field};
    else if constexpr (std::is_same_v<Field, std::filesystem::path>)
      return field.string();
    else if constexpr (std::is_same_v<Field, std::chrono::seconds> || std::is_same_v<Field, std::chrono::milliseconds>)
      return std::chrono::duration_cast<std::chrono::milliseconds>(field).count();
    else
      return field;
  };
  bound.set = [at](Target& target, const option_value& value) {
    Field& field = at(target);
    if constexpr (std::is_same_v<Field, bool>)
      field = std::get<bool>(value);
    else if constexpr (std::is_integral_v<Field>)
      field = static_cast<Field>(std::get<std::int64_t>(value));
    else if constexpr (std::is_same_v<Field, std::chrono::seconds> || std::is_same_v<Field, std::chrono::milliseconds>)
      field = std::chrono::duration_cast<Field>(std::chrono::milliseconds(std::get<std::int64_t>(value)));
    else if constexpr (std::is_same_v<Field, std::filesystem::path>)
      field = std::get<std::string>(value);
    else
      field = std::get<Field>(value);
  };
  return bound;
}

// A choice: the enumerators stand in the order of the declared names.
template <class Target, class Enum>
option<Target> choose(declaration declared, Enum& (*at)(Target&)) {
  option<Target> bound{std::move(declared), {}, {}};
  const auto names = bound.choices;
  bound.get = [at, names](const Target& target) -> option_value {
    return std::string(names.at(static_cast<std::size_t>(at(const_cast<Target&>(target)))));
  };
  bound.set = [at, names](Target& target, const option_value& value) {
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i] == std::get<std::string>(value))
        at(target) = static_cast<Enum>(i);
  };
  return bound;
}

constexpr std::int64_t second_ms = 1000;

std::vector<option<settings>> declare_settings() {
  using enum option_kind;
  using path_t = std::filesystem::path;
  return {
      bind<settings, path_t>({"storage.data_dir", path,
                              "Where jobs, logs and results are kept. Empty: $XDG_DATA_HOME/ferry, else ~/.local/share/ferry."},
                             [](settings& s) -> path_t& { return s.storage.data_dir; }),
      choose<settings, durability>({"storage.durability", choice,
                                    "\"full\": what was acknowledged survives a power cut. \"normal\": it survives a crash of ferry, but a power\n"
                                    "cut may cost the last moments.",
                                    0, 0, 1, {"full", "normal"}},
                                   [](settings& s) -> durability& { return s.storage.durability; }),
      bind<settings, bool>({"storage.check_at_start", boolean,
                            "A full integrity check of the database at each start; a quick check of its structure is always made."},
                           [](settings& s) -> bool& { return s.storage.check_at_start; }),
      bind<settings, path_t>({"http.socket", path,
                              "The Unix socket of the API (mode 0600), at most 107 bytes long. Empty: $FERRY_SOCKET, else\n"
                              "$XDG_RUNTIME_DIR/ferry.sock, else ferry.sock in the data directory."},
                             [](settings& s) -> path_t& { return s.http.socket; }),
      bind<settings, std::string>({"http.tcp.listen", text,
                                   "Serve the API over TCP as well, for programs with the token: \"127.0.0.1:7878\". Loopback addresses only.\n"
                                   "Empty: no TCP."},
                                  [](settings& s) -> std::string& { return s.http.tcp.listen; }),
      bind<settings, path_t>({"http.tcp.token_file", path,
                              "The file with the token that TCP asks for; made with mode 0600 when missing. Empty: token in the data directory."},
                             [](settings& s) -> path_t& { return s.http.tcp.token_file; }),
      bind<settings, int>({"devices.cpu.slots", integer, "How many batches may run on the host CPU at once. 0: one for two cores, at least one.", 0,
                           limits::device_slots_max},
                          [](settings& s) -> int& { return s.devices.cpu.slots; }),
      bind<settings, std::int64_t>({"devices.cpu.memory_mib", integer, "Host memory, in MiB, that jobs may reserve. 0: the machine's memory.", 0,
                                    limits::memory_mib_max},
                                   [](settings& s) -> std::int64_t& { return s.devices.cpu.memory_mib; }),
      bind<settings, int>({"devices.cpu.threads", integer, "Host threads for jobs: the slots of the CPU share them, and so do the GPUs. 0: the usable cores.", 0,
                           limits::device_threads_max},
                          [](settings& s) -> int& { return s.devices.cpu.threads; }),
      bind<settings, bool>({"devices.gpu.enabled", boolean, "Whether GPUs are looked for."},
                           [](settings& s) -> bool& { return s.devices.gpu.enabled; }),
      bind<settings, int>({"devices.gpu.slots", integer, "How many batches may run on each GPU at once.", 1, limits::device_slots_max},
                          [](settings& s) -> int& { return s.devices.gpu.slots; }),
      bind<settings, std::int64_t>({"devices.gpu.memory_reserve_mib", integer,
                                    "Memory of each GPU, in MiB, that no job may reserve: for the driver and the desktop.", 0, limits::memory_mib_max},
                                   [](settings& s) -> std::int64_t& { return s.devices.gpu.memory_reserve_mib; }),
      bind<settings, std::string>({"devices.gpu.nvml_library", text,
                                   "The NVIDIA management library: a name that the loader finds, or a path. Empty: libnvidia-ml.so.1."},
                                  [](settings& s) -> std::string& { return s.devices.gpu.nvml_library; }),
      bind<settings, int>({"runs.shims_ready", integer, "Supervisor processes started ahead of need, so that a job starts sooner.", 0,
                           limits::shims_ready_max},
                          [](settings& s) -> int& { return s.runs.shims_ready; }),
      bind<settings, std::string>({"log.level", choice, "What ferryd logs: this and what is more serious.", 0, 0, 1,
                                   {"trace", "debug", "info", "warn", "error"}},
                                  [](settings& s) -> std::string& { return s.log.level; }),
      bind<settings, path_t>({"log.file", path, "The log file. Empty: standard error."}, [](settings& s) -> path_t& { return s.log.file; }),
  };
}

std::vector<option<job_type>> declare_job_type() {
  using enum option_kind;
  using texts = std::vector<std::string>;
  using map_t = std::map<std::string, std::string>;
  return {
      bind<job_type, std::string>({"description", text, "One line for people."}, [](job_type& t) -> std::string& { return t.description; }),
      choose<job_type, runner_kind>({"runner", choice, "\"process\": one process a batch.", 0, 0, 1, {"process", "worker"}},
                                    [](job_type& t) -> runner_kind& { return t.runner; }),
      bind<job_type, texts>({"command", text_list,
                             "The program and its arguments, one a word; no shell. Required. Placeholders: {spec} (path of spec.json),\n"
                             "{dir} (the job's directory), {job_id}, {batch_id}, {device}, {threads}, {params.<dotted path>}; and alone in its\n"
                             "word {params.<path>...}, which becomes one word an element. {{ and }} are literal braces."},
                            [](job_type& t) -> texts& { return t.command; }),
      bind<job_type, bool>({"shell", boolean, "Run command[0], the only word, with /bin/sh -c; placeholders are quoted for it."},
                           [](job_type& t) -> bool& { return t.shell; }),
      choose<job_type, device_choice>({"device", choice, "\"auto\": a GPU where the machine has one, else the CPU.", 0, 0, 1, {"auto", "gpu", "cpu"}},
                                      [](job_type& t) -> device_choice& { return t.device; }),
      bind<job_type, int>({"slots", integer, "Slots of the device that it takes while it runs.", 1, limits::device_slots_max},
                          [](job_type& t) -> int& { return t.slots; }),
      bind<job_type, std::int64_t>({"memory_mib", integer, "Memory of the device, in MiB, that it reserves while it runs. 0: none.", 0,
                                    limits::memory_mib_max},
                                   [](job_type& t) -> std::int64_t& { return t.memory_mib; }),
      bind<job_type, int>({"threads", integer, "OMP_NUM_THREADS and its relatives. 0: its slots' share of the device's threads.", 0,
                           limits::device_threads_max},
                          [](job_type& t) -> int& { return t.threads; }),
      bind<job_type, map_t>({"environment", text_map, "Environment variables. Nothing of ferryd's environment is passed on unless named below."},
                            [](job_type& t) -> map_t& { return t.environment; }),
      bind<job_type, texts>({"inherit_environment", text_list, "Names of variables taken over from ferryd's environment."},
                            [](job_type& t) -> texts& { return t.inherit_environment; }),
      bind<job_type, std::chrono::seconds>({"max_run_time", duration, "A run that takes longer is ended and fails. \"0s\": no limit.", 0,
                                            limits::run_seconds_max * second_ms, second_ms},
                                           [](job_type& t) -> std::chrono::seconds& { return t.max_run_time; }),
      bind<job_type, std::chrono::milliseconds>({"grace", duration, "Between asking a run to stop (TERM) and ending it (KILL).", 0, limits::grace_ms_max},
                                                [](job_type& t) -> std::chrono::milliseconds& { return t.grace; }),
      choose<job_type, progress_source>({"progress", choice,
                                         "What tells how far it is: \"events\" (JSON lines in $FERRY_EVENTS), \"tqdm\" bars, \"ffmpeg\" (-progress),\n"
                                         "\"pattern\" (below), \"none\"; \"auto\" understands all but patterns.",
                                         0, 0, 1, {"auto", "events", "tqdm", "ffmpeg", "pattern", "none"}},
                                        [](job_type& t) -> progress_source& { return t.progress; }),
      bind<job_type, std::string>({"progress_pattern", text,
                                   "A regular expression matched against each line of output: one group is a percentage, two are step and total."},
                                  [](job_type& t) -> std::string& { return t.progress_pattern; }),
      option<job_type>{{"parameters", schema,
                        "The parameters as a JSON Schema (draft 7) written as a table; defaults are filled in and what it does not name is\n"
                        "refused. Absent: any parameters are taken as they are."},
                       {},
                       {}},
  };
}

} // namespace

const std::vector<option<settings>>& options() {
  static const std::vector<option<settings>> declared = declare_settings();
  return declared;
}

const std::vector<option<job_type>>& job_type_options() {
  static const std::vector<option<job_type>> declared = declare_job_type();
  return declared;
}

} // namespace ferry::config
