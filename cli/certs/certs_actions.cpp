#include "cli/certs/certs_actions.hpp"

#include "cli/format.hpp"
#include "cli/json_text.hpp"
#include "cli/table.hpp"
#include "cli/text.hpp"
#include "config/limits.hpp"
#include "config/locations.hpp"
#include "config/text.hpp"
#include "remote/certificates.hpp"

#include <algorithm>

namespace ferry::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t authority_days = 3'650, node_days = 365;

fs::path folder_of(const certs_request& wanted) {
  return wanted.folder ? fs::absolute(*wanted.folder).lexically_normal() : config::certificates_folder();
}

std::chrono::days validity_of(const certs_request& wanted, std::int64_t otherwise) {
  return std::chrono::days(wanted.days.value_or(otherwise));
}

std::string valid_until(const remote::certificate_facts& facts) { return "valid until " + local_time(facts.not_after); }

json document_of(const remote::certificate_facts& facts, const fs::path& file, instant now) {
  return {{"file", file.string()},
          {"name", facts.subject},
          {"issuer", facts.issuer},
          {"serial", facts.serial},
          {"valid_from", to_rfc3339(facts.not_before)},
          {"valid_until", to_rfc3339(facts.not_after)},
          {"days_left", remote::days_left(facts, now)},
          {"expired", facts.not_after <= now},
          {"hosts", facts.hosts},
          {"authority", facts.is_authority}};
}

// A basic string of TOML: quotes, backslashes and control characters are written as in JSON.
std::string toml_text(const fs::path& path) { return to_text(json(path.string())); }

result<int> init(context& c, const certs_request& wanted, instant now) {
  const fs::path folder = folder_of(wanted);
  const auto made =
      remote::make_authority(folder, wanted.authority_name.value_or("ferry-ca"), validity_of(wanted, authority_days), now);
  if (!made)
    return fail(made.error());
  const fs::path file = folder / "ca.pem", key = folder / "ca.key";
  if (c.wants_json()) {
    json document = document_of(*made, file, now);
    document["key"] = key.string();
    c.print_json(to_text(document));
    return exit_completed;
  }
  c.print(
      "made the certificate authority " + printable(made->subject) + ", " + valid_until(*made) + "\n  " + printable(file.string()) +
      "   goes to every node\n  " + printable(key.string()) +
      "   stays here: whoever has it can make nodes\nnext, for the head and for each node: ferry certs issue NAME --host HOST\n");
  return exit_completed;
}

result<int> issue(context& c, const certs_request& wanted, instant now) {
  const auto how = wanted.renew ? remote::renew_certificate : remote::issue_certificate;
  const auto made = how(folder_of(wanted), wanted.names.front(), wanted.hosts, validity_of(wanted, node_days), now);
  if (!made)
    return fail(made.error());
  if (c.wants_json()) {
    json document = document_of(made->facts, made->certificate, now);
    document["key"] = made->key.string();
    document["ca"] = made->authority.string();
    c.print_json(to_text(document));
    return exit_completed;
  }
  c.print((wanted.renew ? "renewed " : "issued ") + made->facts.subject + " for " +
          printable(config::joined(made->facts.hosts, ", ")) + ", " + valid_until(made->facts) + "\n");
  if (wanted.renew) {
    c.print("copy it to the node, where its key and ca.pem stay as they are, and restart its daemon:\n  " +
            printable(made->certificate.string()) + "\n");
    return exit_completed;
  }
  c.print("copy these to the node, the key over a safe way and readable by the account of its daemon alone (chmod 600):\n");
  for (const fs::path* file : {&made->certificate, &made->key, &made->authority})
    c.print("  " + printable(file->string()) + "\n");
  c.print("and write into its configuration, with the paths that they have there:\n\n[node]\ncertificate = " +
          printable(toml_text(made->certificate)) + "\nkey = " + printable(toml_text(made->key)) +
          "\nca = " + printable(toml_text(made->authority)) + "\n");
  return exit_completed;
}

// Those named, or all of the folder, the authority first.
result<std::vector<fs::path>> files_to_show(const certs_request& wanted) {
  std::vector<fs::path> files(wanted.names.begin(), wanted.names.end());
  if (!files.empty())
    return files;
  const fs::path folder = folder_of(wanted);
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed))
    if (at->path().extension() == ".pem" && !at->path().filename().string().starts_with('.'))
      files.push_back(at->path());
  if (failed && failed != std::errc::no_such_file_or_directory)
    return fail(error_code::io, "cannot read " + folder.string() + ": " + failed.message());
  if (files.empty())
    return fail(error_code::not_found, "there are no certificates in " + folder.string(), "`ferry certs init` makes an authority");
  std::ranges::sort(files, {}, [](const fs::path& file) { return std::pair(file.filename() != "ca.pem", file); });
  return files;
}

std::vector<cell> row_of(const remote::certificate_facts& facts, instant now) {
  const auto left = remote::days_left(facts, now);
  cell days{std::to_string(left)};
  if (facts.not_after <= now)
    days = {"expired", tone::red};
  else if (facts.not_before > now)
    days = {"not yet valid", tone::yellow};
  else if (left < limits::certificate_warning_days)
    days.look = tone::yellow;
  return {{facts.subject}, {local_time(facts.not_after)}, days, {config::joined(facts.hosts, ", ")}, {facts.issuer}};
}

result<int> show(context& c, const certs_request& wanted, instant now) {
  const auto files = files_to_show(wanted);
  if (!files)
    return fail(files.error());
  table rows({{"NAME"}, {"VALID UNTIL"}, {"DAYS LEFT", true}, {"HOSTS", false, 12}, {"ISSUER"}});
  json documents = json::array();
  int status = exit_completed, failed = 0;
  for (const fs::path& file : *files) {
    const auto facts = remote::read_certificate(file);
    if (!facts) {
      c.report(facts.error());
      failed = failed == 0 ? exit_status_of(facts.error().code) : failed;
      continue;
    }
    rows.add(row_of(*facts, now));
    documents.push_back(document_of(*facts, file, now));
    if (facts->not_after <= now)
      status = exit_not_completed;
  }
  if (c.wants_json())
    c.print_json(to_text({{"certificates", documents}}));
  else if (!rows.empty())
    c.print(rows.render(c.out()));
  return failed != 0 ? failed : status;
}

} // namespace

result<int> perform_certs(context& c, const certs_request& wanted, instant now) {
  if (wanted.action == "init")
    return init(c, wanted, now);
  return wanted.action == "issue" ? issue(c, wanted, now) : show(c, wanted, now);
}

} // namespace ferry::cli
