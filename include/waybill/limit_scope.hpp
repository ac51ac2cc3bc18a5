// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

namespace waybill {

/// What a bandwidth limit applies to.
class limit_scope {
public:
    enum class kind : std::uint8_t { total, host, lane, job };

    /// Everything that the uploader sends.
    [[nodiscard]] static limit_scope total() { return {kind::total, {}}; }
    /// What is sent to a host, on any port.
    [[nodiscard]] static limit_scope host(std::string name) {
        for (char& c : name) {
            c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
        return {kind::host, std::move(name)};
    }
    [[nodiscard]] static limit_scope lane(std::string name) { return {kind::lane, std::move(name)}; }
    /// @param id of the job, as text.
    [[nodiscard]] static limit_scope job(std::string id) { return {kind::job, std::move(id)}; }

    [[nodiscard]] kind what() const noexcept { return what_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    auto operator<=>(const limit_scope&) const = default;

private:
    limit_scope(kind what, std::string name) : what_(what), name_(std::move(name)) {}

    kind what_;
    std::string name_;
};

/// A limit of bandwidth: a rate or a timetable.
struct bandwidth_limit {
    limit_scope what = limit_scope::total();
    std::string rates;

    bool operator==(const bandwidth_limit&) const = default;
};

}  // namespace waybill
