// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/control_characters.hpp>
#include <waybill/error.hpp>
#include <waybill/protocol/s3/profile.hpp>
#include <waybill/protocol/s3_credentials.hpp>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace waybill {
namespace detail {

[[nodiscard]] inline std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

/// The keys that were found, and the places that have none.
struct s3_key_search {
    s3_credentials found;
    std::string tried;

    [[nodiscard]] bool complete() const noexcept { return !found.access_key.empty() && !found.secret_key.empty(); }
};

inline void note(s3_key_search& search, const std::string& what) {
    search.tried += (search.tried.empty() ? "" : "; ") + what;
}

/// A file that a variable names, otherwise one in the home folder.
[[nodiscard]] inline std::string file_of_tools(const char* variable, const char* usual) {
    const std::string home = environment("HOME");
    std::string path = environment(variable);
    if (path.empty()) {
        return home.empty() ? std::string() : home + usual;
    }
    return path.starts_with("~/") && !home.empty() ? home + path.substr(1) : path;
}

/// A file's beginning, or why it has none. Only a regular file is opened, because others may block.
[[nodiscard]] inline std::string beginning_of(const std::string& path, std::size_t most, std::error_code& why) {
    std::string text;
    if (!std::filesystem::is_regular_file(path, why)) {
        why = why ? why : std::make_error_code(std::errc::no_such_file_or_directory);
        return text;
    }
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        why = std::make_error_code(std::errc::permission_denied);
        return text;
    }
    text.resize(most);
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    return text;
}

/// Takes from a file what is still missing: keys as a pair, and the region.
inline void look_into(s3_key_search& search, const std::string& path, const std::string& profile) {
    constexpr std::size_t most = 1 << 20;
    if (path.empty()) {
        return;
    }
    std::error_code why;
    const std::string text = beginning_of(path, most, why);
    aws_profile there = read_aws_profile(text, profile);
    if (search.found.region.empty()) {
        search.found.region = std::move(there.region);
    }
    if (search.complete()) {
        return;
    }
    if (!there.access_key.empty() && !there.secret_key.empty()) {
        search.found.access_key = std::move(there.access_key);
        search.found.secret_key = std::move(there.secret_key);
        search.found.session_token = std::move(there.session_token);
        return;
    }
    const std::string half = there.access_key.empty() == there.secret_key.empty() ? "no keys"
                             : there.access_key.empty()                           ? "no aws_access_key_id"
                                                                                  : "no aws_secret_access_key";
    note(search, why            ? path + ": " + why.message()
                 : !there.found ? path + " has no profile '" + profile + "'"
                                : "profile '" + profile + "' in " + path + " has " + half);
}

[[nodiscard]] inline s3_key_search search_s3_keys(const std::string& profile) {
    s3_key_search search;
    if (profile.empty()) {
        search.found = {environment("AWS_ACCESS_KEY_ID"), environment("AWS_SECRET_ACCESS_KEY"),
                        environment("AWS_SESSION_TOKEN")};
        if (!search.complete()) {
            const char* const missing = search.found.access_key.empty() ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY";
            note(search, std::string(missing) + " is not set");
            search.found = {};
        }
    }
    search.found.region = environment("AWS_REGION");
    if (search.found.region.empty()) {
        search.found.region = environment("AWS_DEFAULT_REGION");
    }
    std::string wanted = profile.empty() ? environment("AWS_PROFILE") : profile;
    wanted = wanted.empty() ? "default" : wanted;
    look_into(search, file_of_tools("AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials"), wanted);
    look_into(search, file_of_tools("AWS_CONFIG_FILE", "/.aws/config"), wanted);
    return search;
}

WAYBILL_DECL std::string flaw_of(const s3_credentials& who) {
    if (who.access_key.empty() || who.secret_key.empty()) {
        return who.access_key.empty() ? "the access key is empty" : "the secret key is empty";
    }
    if (who.access_key.find_first_of(" ,/") != std::string::npos || has_control(who.access_key)) {
        return "the access key has a space, a comma, a slash or a line break in it";
    }
    if (has_control(who.secret_key) || has_control(who.session_token)) {
        return std::string(has_control(who.secret_key) ? "the secret key" : "the session token") +
               " has a line break in it";
    }
    return {};
}

}  // namespace detail

WAYBILL_DECL std::optional<s3_credentials> find_s3_profile(std::string_view file, std::string_view profile) {
    detail::aws_profile there = detail::read_aws_profile(file, profile);
    if (there.access_key.empty() || there.secret_key.empty()) {
        return std::nullopt;
    }
    return s3_credentials{std::move(there.access_key), std::move(there.secret_key), std::move(there.session_token),
                          std::move(there.region)};
}

WAYBILL_DECL std::optional<s3_credentials> default_s3_credentials(const std::string& /*origin*/,
                                                                  const std::string& profile) {
    detail::s3_key_search search = detail::search_s3_keys(profile);
    return search.complete() ? std::optional(std::move(search.found)) : std::nullopt;
}

WAYBILL_DECL s3_credentials require_s3_credentials(const std::string& /*origin*/, const std::string& profile) {
    detail::s3_key_search search = detail::search_s3_keys(profile);
    if (!search.complete()) {
        throw error(errc::no_credentials, search.tried);
    }
    return std::move(search.found);
}

}  // namespace waybill
