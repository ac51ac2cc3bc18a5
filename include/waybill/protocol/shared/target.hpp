// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/model/job.hpp>

#include <string>
#include <string_view>

// The targets of items.
namespace waybill::detail {

/// The URL stands for several targets.
[[nodiscard]] WAYBILL_DECL bool is_put_template(std::string_view url) noexcept;

/// An item's target: a PUT's template is completed with its name, any other URL is the target.
[[nodiscard]] WAYBILL_DECL std::string put_target(const std::string& target, bool by_put, std::string_view name);

/// Rejects items of the same name, because they would be sent to the same URL (`errc::duplicate_name`).
WAYBILL_DECL void require_different_names(const waybill::job& job);

/// The same, and rejects several items if the URL is one target (`errc::invalid_url`).
WAYBILL_DECL void require_targets(const waybill::job& job);

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/shared/target.ipp>
#endif
