// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/s3_credentials.hpp>

#include <cstddef>
#include <cstdlib>
#include <fstream>

namespace waybill {
namespace detail {

[[nodiscard]] inline std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

[[nodiscard]] inline std::string_view trimmed(std::string_view text) noexcept {
    constexpr std::string_view space = " \t\r";
    const auto first = text.find_first_not_of(space);
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, text.find_last_not_of(space) - first + 1);
}

/// The beginning of a file; empty when it cannot be read.
[[nodiscard]] inline std::string beginning_of(const std::string& path, std::size_t most) {
    std::ifstream in(path, std::ios::binary);
    std::string text(most, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    return text;
}

}  // namespace detail

WAYBILL_DECL std::optional<s3_credentials> find_s3_profile(std::string_view file, std::string_view profile) {
    s3_credentials found;
    bool inside = false;
    while (!file.empty()) {
        const auto end = file.find('\n');
        const std::string_view line = detail::trimmed(file.substr(0, end));
        file.remove_prefix(end == std::string_view::npos ? file.size() : end + 1);
        if (line.starts_with('[')) {
            inside = line.ends_with(']') && detail::trimmed(line.substr(1, line.size() - 2)) == profile;
            continue;
        }
        const auto equals = line.find('=');
        if (!inside || line.starts_with('#') || line.starts_with(';') || equals == std::string_view::npos) {
            continue;
        }
        const std::string_view name = detail::trimmed(line.substr(0, equals));
        const std::string_view value = detail::trimmed(line.substr(equals + 1));
        if (name == "aws_access_key_id") {
            found.access_key = value;
        } else if (name == "aws_secret_access_key") {
            found.secret_key = value;
        } else if (name == "aws_session_token") {
            found.session_token = value;
        }
    }
    return found.access_key.empty() || found.secret_key.empty() ? std::nullopt : std::optional(std::move(found));
}

WAYBILL_DECL std::optional<s3_credentials> default_s3_credentials(const std::string& /*origin*/,
                                                                  const std::string& profile) {
    std::string wanted = profile;
    if (wanted.empty()) {
        s3_credentials given{detail::environment("AWS_ACCESS_KEY_ID"), detail::environment("AWS_SECRET_ACCESS_KEY"),
                             detail::environment("AWS_SESSION_TOKEN")};
        if (!given.access_key.empty() && !given.secret_key.empty()) {
            return given;
        }
        wanted = detail::environment("AWS_PROFILE");
    }
    std::string path = detail::environment("AWS_SHARED_CREDENTIALS_FILE");
    if (path.empty()) {
        path = detail::environment("HOME") + "/.aws/credentials";
    }
    return find_s3_profile(detail::beginning_of(path, 1 << 20), wanted.empty() ? "default" : wanted);
}

}  // namespace waybill
