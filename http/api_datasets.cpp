// Datasets: listed, made, looked at, removed. Files come into them as uploads.
#include "config/limits.hpp"
#include "http/api.hpp"
#include "http/dataset_files.hpp"

namespace ferry::http {

namespace {

constexpr std::int64_t usual_rows = 100;

std::vector<std::string> path_behind(const request& r, std::size_t segments) {
  return {r.path.begin() + static_cast<std::ptrdiff_t>(segments), r.path.end()};
}

} // namespace

api::reply api::list_datasets(const request& r) {
  if (auto known = check_query(r, {}); !known)
    co_return fail(known.error());
  const auto folder = uploads_->datasets_folder();
  auto work = [&] { return http::list_datasets(folder, uploads_->stop()); };
  const auto all = co_await uploads_->on_disk(work);
  if (!all)
    co_return fail(all.error());
  json list = json::array();
  for (const auto& one : *all)
    list.push_back({{"name", one.name},
                    {"files", one.files},
                    {"bytes", one.bytes},
                    {"modified", to_rfc3339(one.modified)},
                    {"path", (folder / one.name).string()},
                    {"is_whole", one.is_whole}});
  co_return json_response(200, {{"datasets", std::move(list)}});
}

api::reply api::add_dataset(const request& r) {
  const auto body = parse_object(r.body);
  if (!body)
    co_return fail(body.error());
  if (auto known = check_keys(*body, {"name"}); !known)
    co_return fail(known.error());
  const auto name = string_member(*body, "name");
  if (!name || !*name)
    co_return fail(name ? error{error_code::invalid_argument, "name is missing", {}, {}} : name.error());
  if (auto valid = check_file_name(**name, "name"); !valid)
    co_return fail(valid.error());
  const auto folder = uploads_->datasets_folder();
  auto work = [&] { return make_dataset(folder, **name); };
  const auto made = co_await uploads_->on_disk(work);
  if (!made)
    co_return fail(made.error());
  co_return json_response(201, {{"name", **name}, {"path", (folder / **name).string()}});
}

api::reply api::show_dataset(const request& r) {
  if (auto known = check_query(r, {"offset", "limit"}); !known)
    co_return fail(known.error());
  const auto offset = query_number(r, "offset", 0, 0, INT64_MAX);
  const auto limit = query_number(r, "limit", usual_rows, 1, static_cast<std::int64_t>(limits::page_rows_max));
  if (!offset || !limit)
    co_return fail(offset ? limit.error() : offset.error());
  const auto folder = uploads_->datasets_folder();
  auto work = [&] {
    return read_dataset(folder, r.path[1], static_cast<std::uint64_t>(*offset), static_cast<std::uint64_t>(*limit),
                        uploads_->stop());
  };
  const auto page = co_await uploads_->on_disk(work);
  if (!page)
    co_return fail(page.error());
  json files = json::array();
  for (const auto& one : page->files)
    files.push_back({{"path", one.path}, {"bytes", one.bytes}, {"media_type", media_type_of(one.path)}});
  co_return json_response(200, {{"name", r.path[1]},
                                {"path", (folder / r.path[1]).string()},
                                {"files", std::move(files)},
                                {"total", page->total},
                                {"is_whole", page->is_whole}});
}

api::reply api::read_dataset_file(const request& r) {
  if (auto known = check_query(r, {}); !known)
    co_return fail(known.error());
  const auto path = path_behind(r, 3);
  auto file = open_dataset_file(uploads_->datasets_folder(), r.path[1], path);
  if (!file)
    co_return fail(file.error());
  co_return send_file(std::move(*file), path.back(), r, false);
}

api::reply api::remove_dataset(const request& r) {
  const auto folder = uploads_->datasets_folder();
  auto work = [&] { return http::remove_dataset(folder, r.path[1], uploads_->stop()); };
  const auto removed = co_await uploads_->on_disk(work);
  if (!removed)
    co_return fail(removed.error());
  uploads_->note_removed(*removed);
  co_return json_response(200, {{"name", r.path[1]}, {"removed", true}});
}

api::reply api::remove_dataset_file(const request& r) {
  const auto folder = uploads_->datasets_folder();
  const auto path = path_behind(r, 3);
  auto work = [&] { return http::remove_dataset_file(folder, r.path[1], path); };
  const auto removed = co_await uploads_->on_disk(work);
  if (!removed)
    co_return fail(removed.error());
  uploads_->note_removed(*removed);
  co_return json_response(200, {{"name", r.path[1]}, {"path", joined_path(path)}, {"removed", true}});
}

} // namespace ferry::http
