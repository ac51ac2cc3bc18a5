// SPDX-License-Identifier: BSL-1.0
#pragma once

// A server's message about a failure, as one sentence. The text is untrusted, and only its beginning is kept: it may be
// anything and end anywhere.

#include "text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace cli {

inline constexpr std::size_t longest_sentence = 300;

/// Without leading and trailing space, and with single spaces.
inline std::string single_spaced(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool space = std::isspace(static_cast<unsigned char>(c)) != 0;
        if (!space) {
            out += c;
        } else if (!out.empty() && out.back() != ' ') {
            out += ' ';
        }
    }
    return out.substr(0, out.find_last_not_of(' ') + 1);
}

/// Reads JSON as far as it is complete and keeps the member meant for people: `detail` and `title` of problem details
/// (RFC 9457), `message` and `error` of most others.
class message_member {
public:
    using number_integer_t = nlohmann::json::number_integer_t;
    using number_unsigned_t = nlohmann::json::number_unsigned_t;
    using number_float_t = nlohmann::json::number_float_t;
    using string_t = nlohmann::json::string_t;
    using binary_t = nlohmann::json::binary_t;

    bool null() { return true; }
    bool boolean(bool /*value*/) { return true; }
    bool number_integer(number_integer_t /*value*/) { return true; }
    bool number_unsigned(number_unsigned_t /*value*/) { return true; }
    bool number_float(number_float_t /*value*/, const string_t& /*text*/) { return true; }
    bool binary(binary_t& /*value*/) { return true; }
    bool start_object(std::size_t /*members*/) { return true; }
    bool end_object() { return true; }
    bool start_array(std::size_t /*elements*/) { return true; }
    bool end_array() { return true; }
    template <class Exception>
    bool parse_error(std::size_t /*at*/, const std::string& /*token*/, const Exception& /*why*/) {
        return false;
    }
    bool key(string_t& name) {
        key_ = name;
        return true;
    }
    bool string(string_t& value) {
        const auto place = std::find(names.begin(), names.end(), key_);
        auto& kept = found_[static_cast<std::size_t>(place - names.begin())];
        if (place != names.end() && kept.empty()) {
            kept = value;
        }
        return true;
    }

    [[nodiscard]] std::string sentence() const {
        const auto first = std::find_if(found_.begin(), found_.end(), [](const auto& text) { return !text.empty(); });
        return first == found_.end() ? "" : single_spaced(*first);
    }

private:
    static constexpr std::array<std::string_view, 8> names = {"detail", "message", "error_message", "error_description",
                                                              "title",  "error",   "reason",        "msg"};
    std::string key_;
    std::array<std::string, names.size() + 1> found_;  // the last one is never read
};

/// The words of a text with tags: without the tags, and with the common character references resolved.
inline std::string without_tags(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        if (text[0] == '<') {
            const auto end = text.find('>');
            text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
            out += ' ';
            continue;
        }
        constexpr std::array<std::pair<std::string_view, char>, 7> references = {{{"&lt;", '<'},
                                                                                  {"&gt;", '>'},
                                                                                  {"&quot;", '"'},
                                                                                  {"&apos;", '\''},
                                                                                  {"&#39;", '\''},
                                                                                  {"&nbsp;", ' '},
                                                                                  {"&amp;", '&'}}};
        const auto found = std::find_if(references.begin(), references.end(),
                                        [&](const auto& one) { return text.starts_with(one.first); });
        out += found == references.end() ? text[0] : found->second;
        text.remove_prefix(found == references.end() ? 1 : found->first.size());
    }
    return single_spaced(out);
}

/// The words of the first element of that name, whatever its namespace; empty: there is none.
inline std::string element(std::string_view page, std::string_view name) {
    for (std::size_t at = page.find('<'); at != std::string_view::npos; at = page.find('<', at + 1)) {
        const std::string_view tag = page.substr(at + 1, page.find_first_of(" \t\r\n/>", at + 1) - at - 1);
        const std::string_view local = tag.substr(tag.find(':') == std::string_view::npos ? 0 : tag.find(':') + 1);
        const auto end = page.find('>', at);
        const bool same = std::equal(local.begin(), local.end(), name.begin(), name.end(), [](char a, char b) {
            return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
        });
        if (same && end != std::string_view::npos) {
            const auto close = page.find("</" + std::string(tag), end);
            return without_tags(page.substr(end + 1, close == std::string_view::npos ? close : close - end - 1));
        }
    }
    return "";
}

/// "403 Forbidden" adds nothing to the status.
inline bool repeats_a_status(const std::string& text) {
    const auto digit = [&](std::size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
    return digit(0) && digit(1) && digit(2) && !digit(3) && text.size() < 40;
}

inline std::string sentence_of_markup(std::string_view page) {
    for (const std::string_view name : {"message", "title", "p", "h1"}) {
        if (std::string words = element(page, name); !words.empty() && !repeats_a_status(words)) {
            return words;
        }
    }
    // A page whose body has not begun in the excerpt contains only its style.
    const bool is_page = !element(page, "title").empty() || !element(page, "head").empty();
    return is_page ? "" : without_tags(page);
}

/// The server's message, from the beginning of its response; empty when it has none for people.
inline std::string sentence_of(std::string_view excerpt) {
    const auto begin = excerpt.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) {
        return "";
    }
    excerpt.remove_prefix(begin);
    std::string said;
    if (excerpt[0] == '{' || excerpt[0] == '[') {
        message_member found;
        nlohmann::json::sax_parse(excerpt.begin(), excerpt.end(), &found);
        said = found.sentence();
    } else {
        said = excerpt[0] == '<' ? sentence_of_markup(excerpt) : single_spaced(excerpt);
    }
    return shortened(said, longest_sentence);
}

}  // namespace cli
