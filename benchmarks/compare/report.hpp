// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "compare/scenario.hpp"

#include <string>
#include <vector>

namespace waybill::bench {

/// A table for the terminal.
[[nodiscard]] std::string as_text(const results& what);
/// The same in Markdown.
[[nodiscard]] std::string as_markdown(const results& what);
/// Wall times as bars, one group for each piece of work.
[[nodiscard]] std::string as_svg(const std::vector<results>& all);
/// The machine, and what was compared, in one paragraph.
[[nodiscard]] std::string this_machine();

/// Replaces what stands between the result marks of a Markdown file.
void replace_results(const std::string& file, const std::string& markdown);

}  // namespace waybill::bench
