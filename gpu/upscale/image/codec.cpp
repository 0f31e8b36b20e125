#include "gpu/upscale/image/codec.hpp"

#include "gpu/upscale/image/atomic_file.hpp"
#include "gpu/upscale/image/file_error.hpp"
#include "gpu/upscale/image/jpeg_codec.hpp"
#include "gpu/upscale/image/png_codec.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <new>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace ferry::upscale {
namespace fs = std::filesystem;
namespace {

struct closes_file {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using open_file = std::unique_ptr<std::FILE, closes_file>;

result<open_file> open_to_read(const fs::path& name) {
  // Without O_NONBLOCK a pipe that nobody writes to would hold us for ever.
  const int fd = ::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return fail(file_error(name, "cannot be read", errno));
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return fail(error_code::invalid_argument, name.string() + " is not a regular file");
  }
  if (info.st_size == 0) {
    ::close(fd);
    return fail(error_code::damaged, name.string() + " is empty: it has 0 bytes");
  }
  open_file file(::fdopen(fd, "rb"));
  if (!file) {
    const int why = errno;
    ::close(fd);
    return fail(file_error(name, "cannot be read", why));
  }
  return file;
}

result<sniffed> sniff(std::FILE* file, const fs::path& name) {
  static constexpr std::array<unsigned char, 8> png{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  static constexpr std::array<unsigned char, 3> jpeg{0xFF, 0xD8, 0xFF};
  std::array<unsigned char, 8> first{};
  const std::size_t read = std::fread(first.data(), 1, first.size(), file);
  if (std::ferror(file) != 0)
    return fail(file_error(name, "cannot be read", errno));
  std::rewind(file);
  if (read == png.size() && first == png)
    return sniffed{true, picture_format::png};
  if (read >= jpeg.size() && std::equal(jpeg.begin(), jpeg.end(), first.begin()))
    return sniffed{true, picture_format::jpeg};
  return sniffed{};
}

bool is_transparent_somewhere(const picture& source) {
  if (!source.has_alpha())
    return false;
  const auto channels = static_cast<std::size_t>(source.channels);
  for (std::size_t i = channels - 1; i < source.samples.size(); i += channels)
    if (source.samples[i] != source.sample_max())
      return true;
  return false;
}

} // namespace

result<sniffed> sniff_picture(const fs::path& file) {
  auto opened = open_to_read(file);
  if (!opened)
    return fail(std::move(opened.error()));
  return sniff(opened->get(), file);
}

result<picture> read_picture(const fs::path& file) {
  auto opened = open_to_read(file);
  if (!opened)
    return fail(std::move(opened.error()));
  const auto what = sniff(opened->get(), file);
  if (!what)
    return fail(what.error());
  if (!what->is_picture)
    return fail(error_code::invalid_argument, file.string() + " is neither a PNG nor a JPEG picture, whatever its name says",
                "convert it to PNG first");
  try {
    return what->format == picture_format::png ? read_png(opened->get(), file) : read_jpeg(opened->get(), file);
  } catch (const std::bad_alloc&) { return fail(error_code::out_of_memory, file.string() + " does not fit into memory"); }
}

result<picture_format> format_for(const fs::path& file) {
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (ending == ".png")
    return picture_format::png;
  if (ending == ".jpg" || ending == ".jpeg")
    return picture_format::jpeg;
  return fail(error_code::invalid_argument, file.string() + (ending.empty() ? " has no ending" : " ends in " + ending) +
                                                "; pictures are written as .png, .jpg or .jpeg");
}

result<void> write_picture(const picture& source, const fs::path& file) {
  const auto format = format_for(file);
  if (!format)
    return fail(format.error());
  if (*format == picture_format::jpeg && is_transparent_somewhere(source))
    return fail(error_code::invalid_argument, file.string() + ": JPEG cannot hold the transparency that the picture has",
                "give the result a name that ends in .png");
  auto to = atomic_file::create(file);
  if (!to)
    return fail(std::move(to.error()));
  auto written = *format == picture_format::png ? write_png(source, to->stream(), file) : write_jpeg(source, to->stream(), file);
  if (!written)
    return written;
  return to->commit();
}

} // namespace ferry::upscale
