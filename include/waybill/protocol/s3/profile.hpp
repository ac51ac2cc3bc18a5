// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

// The files that the AWS tools keep keys and settings in, parsed as they parse them. Pure functions.
namespace waybill::detail {

/// The values of one profile that are used.
struct aws_profile {
    bool found = false;  ///< the file has a section for it
    std::string access_key;
    std::string secret_key;
    std::string session_token;
    std::string region;
};

[[nodiscard]] inline std::string_view trimmed(std::string_view text) noexcept {
    constexpr std::string_view space = " \t\r";
    const auto first = text.find_first_not_of(space);
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, text.find_last_not_of(space) - first + 1);
}

[[nodiscard]] inline std::string lower_case(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return out;
}

/// The profile that a section's head names, `[name]`, `[profile name]` or `[profile "name"]`; text after the bracket is
/// ignored. Empty when the line is no head, or its section is of another kind.
[[nodiscard]] inline std::string_view profile_in(std::string_view head) noexcept {
    const auto end = head.find(']');
    if (!head.starts_with('[') || end == std::string_view::npos) {
        return {};
    }
    std::string_view name = trimmed(head.substr(1, end - 1));
    for (const std::string_view kind : {std::string_view("profile "), std::string_view("profile\t")}) {
        if (name.starts_with(kind)) {
            name = trimmed(name.substr(kind.size()));
            const bool quoted =
                name.size() >= 2 && (name.front() == '"' || name.front() == '\'') && name.back() == name.front();
            return quoted ? name.substr(1, name.size() - 2) : name;
        }
    }
    return name;
}

/// A value without the comment behind it, which a space must be before.
[[nodiscard]] inline std::string_view without_comment(std::string_view value) noexcept {
    for (std::size_t i = 1; i < value.size(); ++i) {
        if ((value[i] == '#' || value[i] == ';') && (value[i - 1] == ' ' || value[i - 1] == '\t')) {
            return trimmed(value.substr(0, i));
        }
    }
    return value;
}

inline void take_setting(aws_profile& to, std::string_view line) {
    const auto mark = line.find_first_of("=:");
    if (mark == std::string_view::npos) {
        return;
    }
    const std::string name = lower_case(trimmed(line.substr(0, mark)));
    const std::string_view value = without_comment(trimmed(line.substr(mark + 1)));
    if (name == "aws_access_key_id") {
        to.access_key = value;
    } else if (name == "aws_secret_access_key") {
        to.secret_key = value;
    } else if (name == "aws_session_token" || name == "aws_security_token") {
        to.session_token = value;
    } else if (name == "region") {
        to.region = value;
    }
}

/// A file's values for a profile. Names are accepted in any case, `:` is equivalent to `=`, and lines that are indented
/// further than the one before belong to its value: nested settings, which are not used.
[[nodiscard]] inline aws_profile read_aws_profile(std::string_view file, std::string_view profile) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (file.starts_with(byte_order_mark)) {
        file.remove_prefix(byte_order_mark.size());
    }
    aws_profile found;
    bool inside = false;
    bool continues = false;  // a setting came before in this section
    std::size_t indent = 0;  // of it
    while (!file.empty()) {
        const auto end = file.find('\n');
        const std::string_view whole = file.substr(0, end);
        file.remove_prefix(end == std::string_view::npos ? file.size() : end + 1);
        const std::string_view line = trimmed(whole);
        if (line.empty() || line.starts_with('#') || line.starts_with(';')) {
            continue;
        }
        const auto spaces = static_cast<std::size_t>(line.data() - whole.data());
        if (continues && spaces > indent) {
            continue;
        }
        if (line.starts_with('[')) {
            inside = !profile.empty() && profile_in(line) == profile;
            found.found = found.found || inside;
            continues = false;
            continue;
        }
        continues = true;
        indent = spaces;
        if (inside) {
            take_setting(found, line);
        }
    }
    return found;
}

}  // namespace waybill::detail
