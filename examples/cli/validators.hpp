// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the values of options must look like.

#include "text.hpp"
#include "units.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

namespace cli {

/// Rejects values without the separator between their two parts: a forgotten part is no empty value.
inline CLI::Validator of_form(const std::string& form, char separator) {
    return {[form, separator](const std::string& text) {
                return text.find(separator) != std::string::npos ? "" : "'" + text + "' is not of the form " + form;
            },
            form, "form"};
}

/// What has its own option must not be given in another way: one of the two would be lost.
inline std::string has_its_own_option(const std::string& text, char separator) {
    const std::string name = lower(text.substr(0, text.find(separator)));
    for (const auto& [other, option] : {std::pair("content-type", "--content-type"), std::pair("field", "--file-field"),
                                        std::pair("name", "--name")}) {
        if (name == other && (separator == '=' || name == "content-type")) {
            return "'" + text + "': say it with " + option;
        }
    }
    return "";
}

/// Turns 8M into 8388608.
inline CLI::Validator size() {
    return {[](std::string& text) {
                const auto parsed = parse_size(text);
                std::string wrong = parsed ? "" : "'" + text + "' is not a size; write it as 8388608, 8M, 8MiB or 8MB";
                text = parsed ? std::to_string(*parsed) : text;
                return wrong;
            },
            "SIZE", "size"};
}

inline CLI::Validator whole_number() {
    return {[](const std::string& text) {
                const bool good = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
                return good ? "" : "'" + text + "' is not a whole number";
            },
            "NUMBER", "whole number"};
}

// An empty id is most likely a shell variable that is not set.
inline std::string check_id(const std::string& id) {
    return id.empty() ? "empty; use 1 to 128 of the characters A-Z a-z 0-9 . _ : -" : "";
}

/// A missing secret would only be noticed when a server refuses. A secret that was typed in place of its variable's
/// name is not shown.
inline std::string is_set(const std::string& credential) {
    const std::string variable = credential.substr(credential.rfind('=') + 1);
    const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    const bool a_name = !variable.empty() && letters.find(variable.front()) != std::string::npos &&
                        variable.find_first_not_of(letters + "0123456789") == std::string::npos;
    if (!a_name) {
        return "not the name of a variable; export the secret in one, and write its name here";
    }
    const char* const value = std::getenv(variable.c_str());
    if (value != nullptr && *value != '\0') {
        return "";
    }
    // A name that is not in capitals may be the secret itself.
    const bool in_capitals = variable.find_first_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos;
    return (in_capitals ? "the variable '" + variable + "'" : "the variable that is named here") +
           std::string(" is not set, or not exported");
}

/// An option whose value is a time.
inline CLI::Option* add_time(CLI::App* to, const char* name, std::optional<std::chrono::milliseconds>& value,
                             const char* text) {
    const auto parse = [&value, name](const CLI::results_t& words) {
        value = parse_duration(words.at(0));
        if (!value || value->count() <= 0) {
            throw CLI::ValidationError(name,
                                       "'" + words.at(0) + "' is not a time; write it as 90s, 10m, 2h, 7d or 500ms");
        }
        return true;
    };
    return to->add_option(name, parse, text)->type_name("TIME");
}

/// A number of at least 1.
template <class Number>
CLI::Option* add_number(CLI::App* to, const char* name, std::optional<Number>& value, const char* text) {
    return to->add_option(name, value, text)->type_name("NUMBER")->check(CLI::Range(1, 1'000'000));
}

inline CLI::Option* repeatable(CLI::Option* option) {
    return option->take_all()->allow_extra_args(false);
}

}  // namespace cli
