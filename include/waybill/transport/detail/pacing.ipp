// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/http/url.hpp>
#include <waybill/platform/local_time.hpp>
#include <waybill/transport/detail/pacing.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <system_error>

namespace waybill::detail {

/// The name by which limits know a host. Empty for an invalid URL, which libcurl will reject.
[[nodiscard]] inline std::string host_of(const std::string& text) {
    try {
        return limit_scope::host(url(text).host()).name();
    } catch (const error&) {
        return {};
    }
}

WAYBILL_DECL std::size_t pacing::registration::in_one_piece(std::size_t most) const {
    return !ticket_ || by_->pacer_.is_unlimited(*ticket_) ? most : std::min(most, by_->pacer_.quantum(*ticket_));
}

WAYBILL_DECL std::size_t pacing::registration::take(std::size_t want) {
    if (!ticket_ || want == 0) {
        return want;
    }
    const std::size_t taken = by_->pacer_.take(*ticket_, want, std::chrono::steady_clock::now());
    if (taken == 0) {
        by_->arm();
    }
    return taken;
}

WAYBILL_DECL bool pacing::registration::take_all(std::size_t want) {
    const bool taken = !ticket_ || want == 0 || by_->pacer_.take_all(*ticket_, want, std::chrono::steady_clock::now());
    if (!taken) {
        by_->arm();
    }
    return taken;
}

WAYBILL_DECL void pacing::limit(const limit_scope& what, timetable rates) {
    const time_point now = std::chrono::steady_clock::now();
    if (rates.is_unlimited()) {
        tables_.erase(what);
        rates_.erase(what);
        pacer_.limit(what, byte_rate::unlimited(), now);
    } else {
        tables_.insert_or_assign(what, std::move(rates));
    }
    follow_tables(now);
    for (registration* one : all_) {
        join(*one);
    }
    arm();
}

WAYBILL_DECL void pacing::add(registration& one) {
    const time_point now = std::chrono::steady_clock::now();
    if (now >= next_change_) {
        follow_tables(now);  // no timer runs while there is no transfer
    }
    all_.insert(&one);
    try {
        join(one);
        arm();
    } catch (...) {
        remove(one);
        throw;
    }
}

WAYBILL_DECL void pacing::remove(registration& one) noexcept {
    all_.erase(&one);
    if (!one.ticket_) {
        return;
    }
    limited_.erase(*one.ticket_);
    try {
        pacer_.leave(*one.ticket_, std::chrono::steady_clock::now());
        arm();
    } catch (...) {
        return;  // no memory for a timer: the next call of `arm` sets it
    }
}

WAYBILL_DECL void pacing::join(registration& one) {
    if (one.ticket_ || tables_.empty() || one.what_.body_size() == 0) {
        return;
    }
    one.ticket_ = pacer_.join({host_of(one.what_.url), one.what_.lane, one.what_.job});
    limited_.emplace(*one.ticket_, &one);
}

/// Sets the rates that apply now. A change of the clock or the time zone is not reported, so both are read every
/// minute.
WAYBILL_DECL void pacing::follow_tables(time_point now) {
    const auto wall = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const week_time shown = week_time_at(wall, &utc_offset);
    next_change_ = time_point::max();
    for (const auto& [what, table] : tables_) {
        const byte_rate rate = table.rate_at(shown);
        const auto known = rates_.find(what);
        if (known == rates_.end() || known->second != rate) {
            rates_.insert_or_assign(what, rate);
            pacer_.limit(what, rate, now);
        }
        if (const auto unchanged = table.next_change(shown)) {
            next_change_ =
                std::min(next_change_, now + std::min<std::chrono::seconds>(*unchanged, std::chrono::minutes(1)));
        }
    }
}

WAYBILL_DECL void pacing::arm() {
    if (limited_.empty()) {  // a running timer would keep the loop from ending
        ++timer_generation_;
        armed_for_ = time_point::max();
        timer_.cancel();
        return;
    }
    const time_point now = std::chrono::steady_clock::now();
    const time_point wanted = std::min(pacer_.next_wake(), next_change_);
    if (wanted >= armed_for_) {
        return;  // waking too early does no harm
    }
    armed_for_ = wanted;
    const std::uint64_t generation = ++timer_generation_;
    timer_.expires_at(std::max(wanted, now));
    timer_.async_wait([weak = weak_from_this(), generation](std::error_code) {
        // A completion that is already queued cannot be recalled.
        const auto self = weak.lock();
        if (self && self->timer_generation_ == generation) {
            self->on_time();
        }
    });
}

WAYBILL_DECL void pacing::on_time() {
    const time_point now = std::chrono::steady_clock::now();
    armed_for_ = time_point::max();
    if (now >= next_change_) {
        follow_tables(now);
    }
    for (const pacer::ticket awake : pacer_.wake(now)) {
        limited_.at(awake)->listener_.on_pace();
    }
    arm();
}

}  // namespace waybill::detail
