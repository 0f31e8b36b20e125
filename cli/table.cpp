#include "cli/table.hpp"

#include "cli/text.hpp"

#include <algorithm>
#include <numeric>

namespace ferry::cli {
namespace {

constexpr int gap = 2;

struct placed_column {
  const column* declared;
  std::size_t index;
  int width;
};

int total_width(const std::vector<placed_column>& columns) {
  return std::accumulate(columns.begin(), columns.end(), -gap, [](int sum, const auto& c) { return sum + c.width + gap; });
}

void shrink(std::vector<placed_column>& columns, int available) {
  for (int over = total_width(columns) - available; over > 0; --over) {
    placed_column* widest = nullptr;
    for (placed_column& c : columns)
      if (c.declared->shrinks_to > 0 && c.width > c.declared->shrinks_to && (!widest || c.width > widest->width))
        widest = &c;
    if (!widest)
      return;
    --widest->width;
  }
}

} // namespace

std::string table::render(const style& look) const {
  std::vector<std::vector<std::string>> texts;
  std::vector<int> widths(columns_.size(), 0);
  for (const auto& row : rows_) {
    auto& line = texts.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      line.push_back(printable(row[i].text));
      widths[i] = std::max(widths[i], display_width(line.back()));
    }
  }
  std::vector<placed_column> columns;
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (widths[i] > 0)
      columns.push_back({&columns_[i], i, std::max(widths[i], display_width(columns_[i].title))});
  if (columns.empty())
    return {};
  if (look.width > 0)
    shrink(columns, look.width);

  const std::string ellipsis = look.unicode ? "…" : "~";
  std::string out;
  const auto write_row = [&](auto text_of, auto tone_of) {
    std::string line;
    int room = look.width > 0 ? look.width : 1'000'000;
    for (const placed_column& c : columns) {
      const bool last = &c == &columns.back();
      const int width = std::min(c.width, room);
      if (width <= 0)
        break;
      const std::string text = fit(text_of(c), width, ellipsis);
      const std::string filled = last && !c.declared->right_aligned ? text : pad(text, width, c.declared->right_aligned);
      const std::string spaces(static_cast<std::size_t>(last ? 0 : std::min(gap, room - width)), ' ');
      line += (text.empty() ? filled : look.paint(filled, tone_of(c))) + spaces;
      room -= width + gap;
    }
    if (!look.color)
      line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  write_row([](const placed_column& c) { return c.declared->title; }, [](const placed_column&) { return tone::bold; });
  for (std::size_t r = 0; r < rows_.size(); ++r)
    write_row([&](const placed_column& c) { return c.index < texts[r].size() ? texts[r][c.index] : std::string(); },
              [&](const placed_column& c) { return c.index < rows_[r].size() ? rows_[r][c.index].look : tone::plain; });
  return out;
}

} // namespace ferry::cli
