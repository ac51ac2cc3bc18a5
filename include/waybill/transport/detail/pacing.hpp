// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/transport/bandwidth_limits.hpp>
#include <waybill/transport/pacer.hpp>
#include <waybill/transport/request.hpp>
#include <waybill/transport/timetable.hpp>

#include <asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace waybill::detail {

/// A transfer that a limit may hold back.
class paced {
public:
    /// It may start, or continue. Called on the strand, outside of libcurl.
    virtual void on_pace() noexcept = 0;

protected:
    ~paced() = default;
};

/// Applies the limits to transfers: a pacer with the real clocks, and one timer for all that wait. Without a limit
/// nothing is counted and no timer runs.
///
/// Ownership is as with the driver: transfers keep this alive, and it holds plain pointers to them.
///
/// @par Thread safety
///   All members are called on the strand.
class pacing : public std::enable_shared_from_this<pacing> {
public:
    explicit pacing(const asio::any_io_executor& executor) : timer_(executor) {}

    /// Sets, changes or removes a limit, immediately and also for transfers in progress.
    void limit(const limit_scope& what, timetable rates);

    /// A transfer, for the lifetime of this object.
    class registration {
    public:
        registration(std::shared_ptr<pacing> by, const request& what, paced& listener)
            : by_(std::move(by)), what_(what), listener_(listener) {
            by_->add(*this);
        }
        registration(const registration&) = delete;
        registration& operator=(const registration&) = delete;
        ~registration() { by_->remove(*this); }

        [[nodiscard]] bool has_started() const { return !ticket_ || by_->pacer_.has_started(*ticket_); }
        /// How much can be sent in one piece: `most`, or less under a limit.
        [[nodiscard]] std::size_t in_one_piece(std::size_t most) const;
        /// How many bytes may be handed over. 0: it waits for `on_pace`.
        [[nodiscard]] std::size_t take(std::size_t want);
        /// The same for bytes that are handed over together.
        [[nodiscard]] bool take_all(std::size_t want);

    private:
        friend class pacing;

        std::shared_ptr<pacing> by_;
        const request& what_;
        paced& listener_;
        std::optional<pacer::ticket> ticket_;
    };

private:
    using time_point = pacer::time_point;

    void add(registration& one);
    void remove(registration& one) noexcept;
    void join(registration& one);
    void follow_tables(time_point now);
    void arm();
    void on_time();

    asio::steady_timer timer_;
    std::uint64_t timer_generation_ = 0;
    time_point armed_for_ = time_point::max();
    pacer pacer_;
    std::map<limit_scope, timetable> tables_;
    std::map<limit_scope, byte_rate> rates_;      // the current rates of `tables_`
    time_point next_change_ = time_point::max();  // the next change of `rates_`
    std::set<registration*> all_;
    std::map<pacer::ticket, registration*> limited_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/transport/detail/pacing.ipp>
#endif
