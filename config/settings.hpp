// Everything that can be configured, as plain values. Each option is declared once, with comment, unit, default and bounds, in
// options.cpp; ferry.example.toml is checked against that declaration by a test.
#pragma once

#include "config/fair_share_rules.hpp"
#include "config/http_rules.hpp"
#include "config/job_type.hpp"
#include "config/node_settings.hpp"
#include "config/slurm_settings.hpp"
#include "config/upload_rules.hpp"
#include "model/error.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ferry::config {

enum class durability {
  full,   // synchronous=FULL: what was acknowledged survives a power cut
  normal, // synchronous=NORMAL: what was acknowledged survives a crash of ferry, a power cut may cost the last moments
};

struct settings {
  struct {
    std::filesystem::path data_dir; // default: $XDG_DATA_HOME/ferry or ~/.local/share/ferry
    ferry::config::durability durability = config::durability::full;
    std::int64_t free_mib_min = 256; // with less room in data_dir nothing is started
    bool check_at_start = false;     // a full integrity check at each start (a quick check of structure is always made)
  } storage;

  node_settings node; // [node]

  struct {
    std::filesystem::path socket; // default: $FERRY_SOCKET, else $XDG_RUNTIME_DIR/ferry.sock, else <data_dir>/ferry.sock
    http_timeouts timeouts;
    int connections_max = 1'024; // to the socket, and as many over TCP
    struct {
      std::string listen = "auto";       // "127.0.0.1:7878", always a numeric address, of loopback unless there is a certificate;
                                         // auto: that one where it is free; empty: no TCP
      std::filesystem::path certificate; // PEM, with its chain; empty: no TLS
      std::filesystem::path key;         // PEM; set where the certificate is
      std::vector<std::string> hosts;    // further names that a request may be sent to
      std::filesystem::path token_file;  // default: <data_dir>/token, made with mode 0600 when missing
    } tcp;
  } http;

  struct {
    std::vector<std::string> shared; // folders that every node sees under the same path, absolute
  } paths;

  struct {
    struct {
      int slots = 0;               // 0: one for two cores, at least one
      std::int64_t memory_mib = 0; // 0: the machine's memory
      int threads = 0;             // 0: the cores
    } cpu;
    struct {
      int slots = 1;                         // of each GPU
      std::int64_t memory_reserve_mib = 512; // kept free for the driver and the desktop
      std::string nvml_library;              // default: libnvidia-ml.so.1
      bool enabled = true;
    } gpu;
    std::map<std::string, std::string> labels; // of all of them, for jobs that ask for them
    slurm_settings slurm;                      // [devices.slurm]
  } devices;

  struct {
    std::chrono::milliseconds aging = std::chrono::hours{1}; // a job gains a step of priority with each that it waits; 0: none
    fair_share_rules fair_share;
  } queue;

  struct {
    int shims_ready = 2;      // started ahead of need
    int quarantine_after = 2; // crashes of daemon or shim while a job is being started hold it; 0: never
    std::chrono::seconds audit_interval{30};
  } runs;

  upload_rules uploads;

  struct {
    std::string level = "info"; // trace, debug, info, warn, error
    std::filesystem::path file; // empty: standard error
  } log;

  std::vector<job_type> job_types; // the built-in `command` is always among them

  [[nodiscard]] const job_type* find_job_type(std::string_view name) const;
};

// Reads and checks one TOML file; relative paths in it are relative to the file's folder. Errors: invalid_argument with a problem
// for each fault (file, line, key, value, bound, nearest known key); not_found or io when the file cannot be read; too_large.
[[nodiscard]] result<settings> load(const std::filesystem::path& file);
// The same for text; `file` names it in messages and anchors relative paths.
[[nodiscard]] result<settings> parse(std::string_view toml, const std::filesystem::path& file);
// What holds without a file: all defaults and the built-in job types.
[[nodiscard]] settings defaults();

// Where the daemon and the command line look for a file when none is named: $FERRY_CONFIG, $XDG_CONFIG_HOME/ferry/ferry.toml
// (~/.config/ferry/ferry.toml), /etc/ferry/ferry.toml; the first that exists, or empty. $FERRY_CONFIG counts even when that file
// does not exist, so that a wrong name is an error of load().
[[nodiscard]] std::filesystem::path find_config_file();
// Where the command line finds the daemon: $FERRY_SOCKET, else the configured or the default socket.
[[nodiscard]] std::filesystem::path default_socket();

} // namespace ferry::config
