// SPDX-License-Identifier: BSL-1.0
//
// What a server answers and what a file is called, on its way to a terminal: nothing in it is obeyed, and it takes the
// columns that were meant for it.

#include "cli/response_text.hpp"
#include "cli/text.hpp"
#include "cli/units.hpp"
#include "fuzz/property.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace waybill::fuzz {
namespace {

/// Written from RFC 3629's table and not from the command's own decoder.
bool is_utf8_without_controls(std::string_view text) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto within = [&](std::size_t i, unsigned first, unsigned last) {
        return byte(i) >= first && byte(i) <= last;
    };
    const auto tail = [&](std::size_t i) { return within(i, 0x80, 0xBF); };
    while (!text.empty()) {
        std::size_t length = 0;
        if (within(0, 0x20, 0x7E)) {
            length = 1;
        } else if ((byte(0) == 0xC2 && within(1, 0xA0, 0xBF)) || (within(0, 0xC3, 0xDF) && tail(1))) {
            length = 2;
        } else if ((byte(0) == 0xE0 && within(1, 0xA0, 0xBF) && tail(2)) ||
                   (byte(0) == 0xED && within(1, 0x80, 0x9F) && tail(2)) ||
                   (within(0, 0xE1, 0xEF) && byte(0) != 0xED && tail(1) && tail(2))) {
            length = 3;
        } else if ((byte(0) == 0xF0 && within(1, 0x90, 0xBF) && tail(2) && tail(3)) ||
                   (within(0, 0xF1, 0xF3) && tail(1) && tail(2) && tail(3)) ||
                   (byte(0) == 0xF4 && within(1, 0x80, 0x8F) && tail(2) && tail(3))) {
            length = 4;
        } else {
            return false;
        }
        text.remove_prefix(length);
    }
    return true;
}

}  // namespace

void check(std::string_view input) {
    static const bool known = (cli::know_characters(), true);
    require(known, "characters are known");

    const std::string shown = cli::printable(input);
    require(is_utf8_without_controls(shown), "what is printed is UTF-8 without controls");
    require(cli::printable(shown) == shown, "what can be printed stays as it is");
    for (const std::string_view mark : {"\u202A", "\u202E", "\u2066", "\u2069", "\u200F", "\u061C"}) {
        require(shown.find(mark) == std::string::npos, "no mark of direction is printed");
    }

    const std::size_t columns = input.empty() ? 0 : static_cast<unsigned char>(input.front()) % 100;
    require(cli::width(cli::fit(input, columns)) == columns, "what is fitted takes its columns");
    require(cli::width(cli::cut(input, columns)) <= columns, "what is cut takes no more");

    const std::string said = cli::sentence_of(input);
    require(said.size() <= cli::longest_sentence + 3, "a sentence is bounded");
    require(said.find_first_of("\r\n\t") == std::string::npos, "a sentence is on one line");

    nlohmann::json value = std::string(input);
    const std::string json = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    require(std::all_of(json.begin(), json.end(), [](char c) { return c >= 0x20 && c < 0x7F; }), "JSON is ASCII");

    static_cast<void>(cli::parse_size(input));
    static_cast<void>(cli::parse_duration(input));
}

}  // namespace waybill::fuzz
