// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/engine/show/board.hpp>
#include <waybill/model/leftover.hpp>
#include <waybill/model/record.hpp>
#include <waybill/store/store.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace waybill::detail {

/// All changes go to the store through the ledger: a change is checked, committed, and only then counted. Reads go to
/// the store directly.
///
/// Its functions throw the same errors as those of `store`, and cannot be canceled either.
///
/// @par Thread safety
///   On the uploader's strand.
class ledger {
public:
    ledger(store& kept, board& shown) : store_(kept), board_(shown) {}
    ledger(const ledger&) = delete;
    ledger& operator=(const ledger&) = delete;

    /// Opens the store; from here on the totals are those of the store.
    asio::awaitable<store_contents> open();

    asio::awaitable<std::vector<added_job>> add(std::shared_ptr<const std::vector<new_job>> jobs);
    /// @param of the job, as it is before the change.
    asio::awaitable<void> commit(job_change change, const loaded_job& of);
    asio::awaitable<void> quarantine(job_seq seq);
    asio::awaitable<void> remove(const loaded_job& of, std::vector<leftover> leftovers);
    asio::awaitable<std::vector<removed_job>> remove_finished(std::chrono::milliseconds before, unix_millis now);

    asio::awaitable<void> put(hold what);
    asio::awaitable<void> remove(selection held);
    asio::awaitable<void> put(bandwidth_limit what);
    asio::awaitable<void> remove(limit_scope limited);

    asio::awaitable<void> postpone(leftover what);
    asio::awaitable<void> remove(std::int64_t leftover_id);

private:
    store& store_;
    board& board_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/ledger.ipp>
#endif
