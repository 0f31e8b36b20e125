# Writes the table of the page's files (http/pages.hpp) as C++ that takes their bytes in with .incbin; only where it differs.
#
#   cmake -DPAGE=<folder> -DTABLE=<file.cpp> -DZIPPED=<folder for compressed copies> -P embed_page.cmake
cmake_minimum_required(VERSION 3.25)
file(GLOB_RECURSE files LIST_DIRECTORIES false RELATIVE ${PAGE} ${PAGE}/*)
list(SORT files)
if(NOT "index.html" IN_LIST files)
  message(FATAL_ERROR "${PAGE} holds no index.html: the page was not built")
endif()
file(REMOVE_RECURSE ${ZIPPED})
file(MAKE_DIRECTORY ${ZIPPED})

set(types html text/html js text/javascript css text/css svg image/svg+xml
    json application/json map application/json webmanifest application/manifest+json txt text/plain png image/png
    jpg image/jpeg webp image/webp ico image/x-icon woff2 font/woff2 wasm application/wasm)
set(worth_zipping html js css svg json map webmanifest txt wasm)

set(number 0)
set(symbols "")
set(declared "")
set(rows "")
# Bytes of `file` under the symbols NAME and NAME_end.
macro(take_in name file)
  string(APPEND symbols "asm(\".section .rodata\\n.global ${name}\\n${name}:\\n.incbin \\\"${file}\\\"\\n.global ${name}_end\\n${name}_end:\\n.byte 0\\n.previous\\n\");\n")
  string(APPEND declared "extern const char ${name}[], ${name}_end[];\n")
endmacro()
foreach(file ${files})
  get_filename_component(extension ${file} LAST_EXT)
  string(REGEX REPLACE "^\\." "" extension "${extension}")
  set(type application/octet-stream)
  list(FIND types "${extension}" at)
  if(NOT at EQUAL -1)
    math(EXPR at "${at} + 1")
    list(GET types ${at} type)
  endif()
  if(type MATCHES "^text/")
    string(APPEND type "; charset=utf-8")
  endif()
  file(SHA256 ${PAGE}/${file} digest)
  string(SUBSTRING ${digest} 0 32 digest)
  set(plain ferry_page_${number})
  take_in(${plain} ${PAGE}/${file})
  set(zipped "{}")
  if(extension IN_LIST worth_zipping)
    set(copy ${ZIPPED}/${digest}.gz)
    file(ARCHIVE_CREATE OUTPUT ${copy} PATHS ${PAGE}/${file} FORMAT raw COMPRESSION GZip COMPRESSION_LEVEL 9)
    file(SIZE ${PAGE}/${file} size)
    file(SIZE ${copy} zipped_size)
    if(zipped_size LESS size)
      take_in(${plain}_gz ${copy})
      set(zipped "between(${plain}_gz, ${plain}_gz_end)")
    endif()
  endif()
  string(APPEND rows "    {\"/${file}\", \"${type}\", \"W/\\\"${digest}\\\"\", between(${plain}, ${plain}_end), ${zipped}},\n")
  math(EXPR number "${number} + 1")
endforeach()

set(text "// Made by cmake/embed_page.cmake.
#include \"http/pages.hpp\"

${symbols}
extern \"C\" {
${declared}}

namespace ferry::http {

std::span<const page_file> page_files() {
  const auto between = [](const char* from, const char* to) { return std::string_view(from, static_cast<std::size_t>(to - from)); };
  static const page_file all[] = {
${rows}  };
  return all;
}

} // namespace ferry::http
")
set(before "")
if(EXISTS ${TABLE})
  file(READ ${TABLE} before)
endif()
if(NOT before STREQUAL text)
  file(WRITE ${TABLE} "${text}")
endif()
