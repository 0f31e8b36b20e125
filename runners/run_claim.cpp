#include "runners/run_claim.hpp"

#include "model/job.hpp"
#include "runners/run_directory.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>

namespace ferry::runners {
namespace {

constexpr std::size_t document_bytes_max = 1024 * 1024;

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// Under a name that no other process uses, on any machine.
result<std::string> write_aside(int directory, const char* name, const json& document) {
  static std::atomic<unsigned> count{0};
  std::string aside =
      "." + std::string(name) + "-" + host_name() + "-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
  const auto text = document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  if (auto written = write_whole(directory, aside.c_str(), text); !written)
    return fail(written.error());
  const descriptor file(::openat(directory, aside.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || ::fsync(file.get()) != 0) {
    const int why = errno;
    ::unlinkat(directory, aside.c_str(), 0);
    return fail(system_error("cannot write " + aside + " to disk", why));
  }
  return aside;
}

result<void> put_in_place(int directory, const char* name, const json& document) {
  const auto aside = write_aside(directory, name, document);
  if (!aside)
    return fail(aside.error());
  if (::renameat(directory, aside->c_str(), directory, name) != 0 || ::fsync(directory) != 0)
    return fail(system_error(std::string("cannot write ") + name, errno));
  return {};
}

json document_of(int directory, const char* name) {
  const auto text = read_whole(directory, name, document_bytes_max);
  return text ? json::parse(*text, nullptr, false) : json();
}

json ids_json(const std::vector<job_id>& jobs) {
  json ids = json::array();
  for (const job_id job : jobs)
    ids.push_back(job.value);
  return ids;
}

std::vector<job_id> ids_from(const json& document) {
  std::vector<job_id> jobs;
  for (const json& id : document.value("jobs", json::array()))
    jobs.push_back(job_id{id.get<std::int64_t>()});
  return jobs;
}

} // namespace

result<bool> claim_run(int directory, const run_claim& claim) {
  const json document = claim.by_shim ? json{{"by", "shim"}, {"host", host_name()}, {"job", claim.slurm_job}}
                                      : json{{"by", "ferry"}, {"reason", claim.reason}, {"jobs", ids_json(claim.jobs)}};
  const auto aside = write_aside(directory, run_file::claim, document);
  if (!aside)
    return fail(aside.error());
  const int refused = ::linkat(directory, aside->c_str(), directory, run_file::claim, 0) == 0 ? 0 : errno;
  // The answer of a file server may be lost and the link be there all the same: the count of names tells.
  struct stat info {};
  const bool is_ours = ::fstatat(directory, aside->c_str(), &info, 0) == 0 && info.st_nlink == 2;
  ::unlinkat(directory, aside->c_str(), 0);
  if (!is_ours && refused != EEXIST && refused != 0)
    return fail(system_error(std::string("cannot make ") + run_file::claim, refused));
  if (is_ours && ::fsync(directory) != 0)
    return fail(system_error(std::string("cannot write ") + run_file::claim + " to disk", errno));
  return is_ours;
}

std::optional<run_claim> read_claim(int directory) {
  const json document = document_of(directory, run_file::claim);
  try {
    if (document.is_object())
      return run_claim{.by_shim = document.at("by") == "shim",
                       .host = document.value("host", std::string()),
                       .slurm_job = document.value("job", std::int64_t{0}),
                       .reason = document.value("reason", std::string()),
                       .jobs = ids_from(document)};
  } catch (const json::exception&) {}
  // It is there, and nobody can tell whose it is: what is safe is that a shim has it.
  struct stat info {};
  return ::fstatat(directory, run_file::claim, &info, 0) == 0 ? std::optional(run_claim{.by_shim = true}) : std::nullopt;
}

result<void> write_stop(int directory, const stop_request& stop) {
  return put_in_place(directory, run_file::stop,
                      {{"reason", stop.reason}, {"grace_ms", stop.grace.count()}, {"jobs", ids_json(stop.jobs)}});
}

std::optional<stop_request> read_stop(int directory, batch_id batch) {
  const json document = document_of(directory, run_file::stop);
  try {
    if (document.is_object())
      return stop_request{batch, document.at("reason").get<std::string>(),
                          std::chrono::milliseconds(document.at("grace_ms").get<std::int64_t>()), ids_from(document)};
  } catch (const json::exception&) {}
  return std::nullopt;
}

result<void> write_slurm_id(int directory, std::int64_t id) { return put_in_place(directory, run_file::slurm, {{"job", id}}); }

std::optional<std::int64_t> read_slurm_id(int directory) {
  const json document = document_of(directory, run_file::slurm);
  const auto id = document.is_object() ? document.find("job") : document.end();
  return document.is_object() && id != document.end() && id->is_number_integer() ? std::optional(id->get<std::int64_t>())
                                                                                 : std::nullopt;
}

} // namespace ferry::runners
