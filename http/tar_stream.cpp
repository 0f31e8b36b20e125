#include "http/tar_stream.hpp"

#include "http/file_body.hpp"

#include <array>
#include <cstring>

namespace ferry::http {
namespace {

constexpr std::size_t block = 512, name_bytes = 100;
constexpr std::uint64_t plain_bytes_max = 077777777777; // what eleven octal digits can say

std::size_t padding_of(std::uint64_t bytes) { return static_cast<std::size_t>((block - bytes % block) % block); }

std::string octal(std::uint64_t value, int digits) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "%0*llo", digits, static_cast<unsigned long long>(value));
  return text.data();
}

std::string ustar_block(const std::string& name, std::uint64_t bytes, std::int64_t seconds, char kind) {
  std::string head(block, '\0');
  const auto put = [&](std::size_t at, const std::string& text) { head.replace(at, text.size(), text); };
  put(0, name.substr(0, name_bytes));
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, octal(bytes, 11));
  put(136, octal(seconds > 0 ? static_cast<std::uint64_t>(seconds) : 0, 11));
  put(148, "        "); // counts as blanks in its own sum
  head[156] = kind;
  put(257, std::string("ustar\0"
                       "00",
                       8));
  std::uint64_t sum = 0;
  for (const char c : head)
    sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6) + '\0');
  return head;
}

// "<length> <key>=<value>\n", where the length counts its own digits.
std::string pax_record(const std::string& key, const std::string& value) {
  const std::string rest = " " + key + "=" + value + "\n";
  auto length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length)
    ++length;
  return std::to_string(length) + rest;
}

} // namespace

std::string tar_header(const std::string& path, std::uint64_t bytes, instant modified) {
  const auto seconds = to_unix_ms(modified) / 1000;
  std::string records;
  const bool is_ascii = path.find_first_not_of(" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnop"
                                               "qrstuvwxyz{|}~") == path.npos;
  if (path.size() > name_bytes || !is_ascii)
    records += pax_record("path", path);
  if (bytes > plain_bytes_max)
    records += pax_record("size", std::to_string(bytes));
  std::string out;
  if (!records.empty())
    out = ustar_block("././@PaxHeader", records.size(), seconds, 'x') + records + std::string(padding_of(records.size()), '\0');
  return out + ustar_block(path, bytes > plain_bytes_max ? 0 : bytes, seconds, '0');
}

result<void> tar_stream::begin_file(std::string& out) {
  const job_file& file = files_[at_++];
  auto opened = open_(file);
  if (!opened && opened.error().code == error_code::not_found)
    return {};
  if (!opened)
    return fail(opened.error());
  now_ = std::move(*opened);
  sent_ = 0;
  out += tar_header(top_ + "/" + file.path, now_.bytes, now_.modified);
  return {};
}

result<void> tar_stream::add_piece(std::string& out) {
  if (sent_ < now_.bytes) {
    const auto piece = read_piece(now_.file, sent_, now_.bytes - sent_);
    if (!piece)
      return fail(piece.error());
    sent_ += piece->size();
    out += *piece;
  }
  if (sent_ == now_.bytes) {
    out += std::string(padding_of(now_.bytes), '\0');
    now_.file.reset();
  }
  return {};
}

boost::asio::awaitable<result<std::string>> tar_stream::next() {
  std::string out;
  while (out.size() < file_piece_bytes && !has_ended_) {
    result<void> done;
    if (now_.file)
      done = add_piece(out);
    else if (at_ < files_.size())
      done = begin_file(out);
    else {
      out += std::string(2 * block, '\0');
      has_ended_ = true;
    }
    if (!done)
      co_return fail(done.error());
  }
  co_return out;
}

} // namespace ferry::http
