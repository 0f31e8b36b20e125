// Finds or adds everybody whom one request names, in a book where those whom nobody uses make way for new ones: they do not make
// way for each other.
#pragma once

#include "model/error.hpp"

#include <string>
#include <vector>

namespace ferry::scheduling {

// `book` has arriving(index) and arrived(index); `find` takes a name and answers with a result<index>. Each can then be found until
// another one is sought. Errors: the first of `find`; then some may have been added, unused.
template <class Book, class Find>
[[nodiscard]] result<void> find_all(Book& book, const std::vector<std::string>& names, const Find& find) {
  using index_type = typename decltype(find(names.front()))::value_type;
  std::vector<index_type> kept;
  result<void> done;
  for (const std::string& name : names) {
    const auto index = find(name);
    if (!index) {
      done = fail(index.error());
      break;
    }
    book.arriving(*index);
    kept.push_back(*index);
  }
  for (const index_type index : kept)
    book.arrived(index);
  return done;
}

} // namespace ferry::scheduling
