// The files of jobs.
#include "config/limits.hpp"
#include "http/api.hpp"
#include "http/job_files.hpp"
#include "http/served_file.hpp"
#include "http/tar_stream.hpp"

namespace ferry::http {
namespace beast_http = boost::beast::http;
namespace {

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
