#include "http/served_file.hpp"

#include "config/text.hpp"
#include "http/file_body.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace ferry::http {
namespace beast_http = boost::beast::http;
namespace {

std::string hex(std::uint64_t value) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%llx", static_cast<unsigned long long>(value));
  return text.data();
}

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

} // namespace

instant modified_of(const struct stat& about) {
  return from_unix_ms(std::int64_t{about.st_mtim.tv_sec} * 1000 + about.st_mtim.tv_nsec / 1'000'000);
}

result<opened_file> described_file(runners::descriptor file, const std::string& path) {
  struct stat about {};
  if (::fstat(file.get(), &about) != 0)
    return fail(error_code::io, "'" + config::shortened(path) + "' cannot be read: " + std::strerror(errno));
  if (!S_ISREG(about.st_mode))
    return fail(error_code::not_found, "'" + config::shortened(path) + "' is not a regular file");
  const auto bytes = static_cast<std::uint64_t>(about.st_size);
  return opened_file{.file = std::move(file),
                     .bytes = bytes,
                     .modified = modified_of(about),
                     .etag = '"' + hex(about.st_ino) + '-' + hex(static_cast<std::uint64_t>(about.st_mtim.tv_sec)) + '.' +
                             hex(static_cast<std::uint64_t>(about.st_mtim.tv_nsec)) + '-' + hex(bytes) + '"'};
}

std::string_view media_type_of(std::string_view path) {
  constexpr std::string_view text = "text/plain; charset=utf-8";
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 16> known{{{"png", "image/png"},
                                                                                        {"jpg", "image/jpeg"},
                                                                                        {"jpeg", "image/jpeg"},
                                                                                        {"webp", "image/webp"},
                                                                                        {"gif", "image/gif"},
                                                                                        {"mp4", "video/mp4"},
                                                                                        {"webm", "video/webm"},
                                                                                        {"json", "application/json"},
                                                                                        {"jsonl", text},
                                                                                        {"txt", text},
                                                                                        {"log", text},
                                                                                        {"csv", text},
                                                                                        {"caption", text},
                                                                                        {"md", text},
                                                                                        {"yaml", text},
                                                                                        {"toml", text}}};
  const auto name = path.substr(path.rfind('/') + 1);
  const auto dot = name.rfind('.');
  std::string ending(dot == name.npos ? "" : name.substr(dot + 1));
  for (char& c : ending)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const auto found = std::find_if(known.begin(), known.end(), [&](const auto& one) { return one.first == ending; });
  return found == known.end() ? unknown_media_type : found->second;
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

} // namespace ferry::http
