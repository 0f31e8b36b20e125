// The files of jobs.
#include "config/file_limits.hpp"
#include "http/api.hpp"
#include "http/file_body.hpp"
#include "http/job_files.hpp"
#include "http/tar_stream.hpp"

namespace ferry::http {
namespace beast_http = boost::beast::http;
namespace {

// A file is shown as what it is or saved, and never runs anything: a job's file is no page of the daemon.
constexpr const char* file_policy = "sandbox; default-src 'none'";

boost::beast::string_view beast_view(std::string_view text) { return {text.data(), text.size()}; }

// With the name twice (RFC 6266): for those that know no UTF-8, and as it is.
std::string disposition(std::string_view kind, std::string_view path) {
  const auto name = path.substr(path.rfind('/') + 1);
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string plain, exact;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_harmless =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' || c == '-';
    plain += is_harmless || c == ' ' ? c : '_';
    exact += is_harmless ? std::string(1, c) : std::string{'%', digits[byte >> 4U], digits[byte & 15U]};
  }
  return std::string(kind) + "; filename=\"" + plain + "\"; filename*=UTF-8''" + exact;
}

json file_json(const job_file& file) {
  return {{"path", file.path},
          {"batch", file.batch.value},
          {"bytes", file.bytes},
          {"modified", to_rfc3339(file.modified)},
          {"media_type", media_type_of(file.path)}};
}

result<bool> is_set(const request& r, const std::string& key) {
  const auto number = query_number(r, key, 0, 0, 1);
  return number ? result<bool>(*number == 1) : fail(number.error());
}

std::vector<std::string> segments_of(const std::string& path) {
  std::vector<std::string> segments{{}};
  for (const char c : path)
    if (c == '/')
      segments.emplace_back();
    else
      segments.back() += c;
  return segments;
}

response send_file(opened_file file, const std::string& path, const request& r, bool is_download) {
  response answer;
  const auto media_type = media_type_of(path);
  const bool is_inline = !is_download && media_type != unknown_media_type;
  answer.set(beast_http::field::etag, file.etag);
  answer.set(beast_http::field::cache_control, "private, no-cache"); // kept, and asked for by its ETag
  answer.set(beast_http::field::accept_ranges, "bytes");
  answer.set("Content-Security-Policy", file_policy);
  if (names_etag(r.if_none_match, file.etag)) {
    answer.result(beast_http::status::not_modified);
    return answer;
  }
  answer.set(beast_http::field::content_type, beast_view(is_inline ? media_type : unknown_media_type));
  answer.set(beast_http::field::content_disposition, disposition(is_inline ? "inline" : "attachment", path));
  const bool is_part_of_this = r.if_range.empty() || r.if_range == file.etag;
  const auto wanted = is_part_of_this ? bytes_wanted(r.range, file.bytes) : wanted_bytes(whole_file{});
  const auto whole = std::to_string(file.bytes);
  if (std::holds_alternative<no_such_range>(wanted)) {
    auto refusal = error_response(
        {error_code::invalid_argument, "the file has " + whole + " bytes, none of them in the range asked for", {}, {}});
    refusal.result(beast_http::status::range_not_satisfiable);
    refusal.set(beast_http::field::content_range, "bytes */" + whole);
    return refusal;
  }
  byte_range part{0, file.bytes};
  answer.result(beast_http::status::ok);
  if (const auto* range = std::get_if<byte_range>(&wanted)) {
    part = *range;
    answer.result(beast_http::status::partial_content);
    answer.set(beast_http::field::content_range,
               "bytes " + std::to_string(part.first) + "-" + std::to_string(part.first + part.count - 1) + "/" + whole);
  }
  answer.rest = std::make_shared<file_body>(std::move(file.file), part);
  return answer;
}

} // namespace

api::reply api::list_artifacts(const request& r) {
  if (auto known = check_query(r, {"archive"}); !known)
    co_return fail(known.error());
  const auto archive = r.query.find("archive");
  if (archive != r.query.end() && archive->second != "tar")
    co_return fail(error_code::invalid_argument, "archive must be tar, is '" + archive->second.substr(0, 40) + "'");
  const auto id = job_id_from(r.path[1]);
  if (!id)
    co_return fail(id.error());
  const auto view = co_await view_of(*id);
  if (!view)
    co_return fail(view.error());
  const auto runs = parts_.settings->storage.data_dir / "runs";
  const auto folders = folders_of(view->record);
  auto found = list_files(runs, folders);
  if (archive == r.query.end()) {
    json list = json::array();
    for (const job_file& file : found.files)
      list.push_back(file_json(file));
    co_return json_response(200, {{"artifacts", std::move(list)}, {"is_whole", found.is_whole}});
  }
  if (!found.is_whole)
    co_return fail(error_code::too_large, "the job has more than " + std::to_string(limits::job_files_max) +
                                              " files, or deeper folders than " + std::to_string(limits::job_file_depth_max));
  const auto top = "job-" + to_string(*id);
  response answer;
  answer.result(200);
  answer.set(beast_http::field::content_type, "application/x-tar");
  answer.set(beast_http::field::content_disposition, "attachment; filename=\"" + top + ".tar\"");
  answer.set("Content-Security-Policy", file_policy);
  auto open = [runs, folders](const job_file& file) { return open_file(runs, folders, segments_of(file.path)); };
  answer.rest = std::make_shared<tar_stream>(std::move(found.files), top, std::move(open));
  co_return answer;
}

api::reply api::read_artifact(const request& r) {
  if (auto known = check_query(r, {"download"}); !known)
    co_return fail(known.error());
  const auto id = job_id_from(r.path[1]);
  const auto is_download = is_set(r, "download");
  if (!id || !is_download)
    co_return fail(id ? is_download.error() : id.error());
  const auto view = co_await view_of(*id);
  if (!view)
    co_return fail(view.error());
  const std::vector<std::string> segments(r.path.begin() + 3, r.path.end());
  auto file = open_file(parts_.settings->storage.data_dir / "runs", folders_of(view->record), segments);
  if (!file)
    co_return fail(file.error());
  co_return send_file(std::move(*file), segments.back(), r, *is_download);
}

} // namespace ferry::http
