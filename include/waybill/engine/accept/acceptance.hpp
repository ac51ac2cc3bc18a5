// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/engine/engine_parts.hpp>
#include <waybill/model/job.hpp>
#include <waybill/options.hpp>
#include <waybill/source/source_opener.hpp>
#include <waybill/store/store.hpp>

#include <optional>
#include <vector>

namespace waybill::detail {

/// Makes records of what the app offers, with the files as they are at that moment.
///
/// @par Thread safety
///   On the uploader's strand.
class acceptance {
public:
    acceptance(const engine_parts& parts, const options& how) : parts_(parts), options_(how) {}

    /// Which of these jobs were accepted before, by their ids. Throws `errc::duplicate_id` when a file is another one
    /// than it was then.
    asio::awaitable<std::vector<std::optional<job_seq>>> known_before(const std::vector<job>& jobs);
    /// Records of them all; those that are known have no items. Throws what `source_opener::pin` throws.
    asio::awaitable<std::vector<new_job>> pin(const std::vector<job>& jobs,
                                              const std::vector<std::optional<job_seq>>& known,
                                              const store_time& accepted);
    /// What a retry makes of a finished job.
    asio::awaitable<job_change> new_epoch(const loaded_job& whole, store_time now);

private:
    asio::awaitable<void> require_same_files(const std::vector<job>& jobs, std::vector<std::optional<job_seq>>& known);
    asio::awaitable<std::vector<std::optional<pinned_file>>> pin_what_is_there(std::vector<wanted_file> files);
    asio::awaitable<std::vector<item_spec>> pin_again(const loaded_job& whole);

    const engine_parts& parts_;
    const options& options_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/accept/acceptance.ipp>
#include <waybill/engine/accept/new_epoch.ipp>
#endif
