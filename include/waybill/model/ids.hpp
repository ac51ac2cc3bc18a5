// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace waybill {

/// A job's name, unique in its store: given by the app, so that a job enqueued twice is accepted once, or made by the
/// library.
///
/// 1 to 128 characters of `A-Z a-z 0-9 . _ : -`; `async_enqueue` rejects any other.
class job_id {
public:
    job_id() = default;
    explicit job_id(std::string value) : value_(std::move(value)) {}

    [[nodiscard]] const std::string& str() const noexcept { return value_; }
    [[nodiscard]] bool empty() const noexcept { return value_.empty(); }

    [[nodiscard]] bool valid() const noexcept {
        constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";
        return !value_.empty() && value_.size() <= 128 && value_.find_first_not_of(allowed) == std::string::npos;
    }

    auto operator<=>(const job_id&) const = default;

private:
    std::string value_;
};

/// A job's place in the order of acceptance. The store assigns it; it never changes.
enum class job_seq : std::int64_t {};

}  // namespace waybill

/// @cond
template <>
struct std::hash<waybill::job_id> {
    std::size_t operator()(const waybill::job_id& id) const noexcept { return std::hash<std::string>{}(id.str()); }
};
/// @endcond
