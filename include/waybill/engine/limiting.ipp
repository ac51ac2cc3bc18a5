// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/accept/check_options.hpp>
#include <waybill/engine/commands.hpp>
#include <waybill/transport/timetable.hpp>

#include <utility>
#include <vector>

// How the app limits bandwidth.
namespace waybill::detail {

/// It holds from now on; when it cannot be stored, it is taken back. A job's limit is not stored.
WAYBILL_DECL asio::awaitable<void> commands::limit(limit_scope what, std::string rates) {
    check_scope(what);
    static_cast<void>(timetable(rates.empty() ? "off" : rates));  // throws for what is none
    co_await open();
    if (what.what() == limit_scope::kind::job) {
        co_await require_unfinished(job_id(what.name()));
    }
    co_await until_rules_are_free();
    const changing_rules mark(*this);
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    const std::string before = bandwidth_.set(what, rates);
    try {
        bandwidth_.apply(what, *parts_.transport);
        if (what.what() != limit_scope::kind::job) {
            co_await store_limit(what, std::move(rates));
        }
    } catch (...) {
        bandwidth_.set(what, before);
        bandwidth_.apply(what, *parts_.transport);
        throw;
    }
}

/// A limit of a job is dropped when the job is finished: that of another one would stay for ever.
WAYBILL_DECL asio::awaitable<void> commands::require_unfinished(job_id id) {
    const job_seq seq = co_await require(id);
    const loaded_job whole = co_await load_sound(seq);
    if (is_terminal(whole.job.state.status)) {
        throw error(errc::not_allowed, id.str() + " is " + std::string(to_string(whole.job.state.status)));
    }
}

WAYBILL_DECL asio::awaitable<void> commands::store_limit(limit_scope what, std::string rates) {
    if (rates.empty()) {
        return ledger_.remove(std::move(what));
    }
    bandwidth_limit wanted{std::move(what), std::move(rates)};
    return ledger_.put(std::move(wanted));
}

WAYBILL_DECL asio::awaitable<std::vector<bandwidth_limit>> commands::limits() {
    co_await open();
    co_return bandwidth_.list();
}

}  // namespace waybill::detail
