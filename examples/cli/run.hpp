// SPDX-License-Identifier: BSL-1.0
#pragma once

// `waybill run`: delivers, shows progress, and reports the result of this run.

#include <waybill/waybill.hpp>

#include "exit_code.hpp"
#include "json.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "screen.hpp"
#include "settings.hpp"
#include "words.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace cli {

inline std::shared_ptr<progress> make_progress(const settings& s) {
    if (s.progress != "bar") {
        return nullptr;
    }
    const char* const term = std::getenv("TERM");
    const bool moves = term == nullptr || std::string_view(term) != "dumb";  // a terminal that knows no cursor
    if (moves && is_terminal()) {
        return std::make_shared<bar_progress>();
    }
    return std::make_shared<plain_progress>();
}

/// Draws again whenever the window has changed, as long as `window` exists: no snapshot may come for minutes.
inline void draw_on_change(const std::weak_ptr<asio::signal_set>& window, const std::function<void()>& draw) {
    if (const std::shared_ptr<asio::signal_set> signals = window.lock()) {
        signals->async_wait([window, draw](std::error_code ec, int /*signal*/) {
            if (!ec && !window.expired()) {
                draw();
                draw_on_change(window, draw);
            }
        });
    }
}

/// A running delivery that can be ended. Shared with handlers, which may be called after the command has ended.
class delivery {
public:
    explicit delivery(const asio::any_io_executor& executor) : executor_(executor), over_(executor) {
        over_.expires_at(asio::steady_timer::time_point::max());
    }

    static void begin(const std::shared_ptr<delivery>& self, waybill::uploader& up) {
        asio::co_spawn(self->executor_, up.async_run(),
                       asio::bind_cancellation_slot(self->halt_.slot(), [self](const std::exception_ptr& thrown) {
                           self->thrown_ = thrown;
                           self->ended_ = true;
                           self->over_.cancel();
                       }));
    }

    /// Ends the waits with `until_then()`.
    void end_waiting() {
        time_is_up_ = true;
        wake_.emit(asio::cancellation_type::all);
    }
    [[nodiscard]] bool time_is_up() const { return time_is_up_; }
    auto until_then() { return asio::bind_cancellation_slot(wake_.slot(), asio::use_awaitable); }

    /// Interrupts transfers and waits until their jobs are back in the store.
    asio::awaitable<void> end() {
        halt_.emit(asio::cancellation_type::terminal);
        while (!ended_) {
            std::error_code woken;
            auto token = asio::redirect_error(asio::use_awaitable, woken);
            co_await over_.async_wait(token);
        }
        try {
            if (thrown_) {
                std::rethrow_exception(thrown_);
            }
        } catch (const std::system_error& e) {
            if (e.code() != waybill::cause::canceled) {
                throw;
            }
        }
    }

private:
    asio::any_io_executor executor_;
    asio::steady_timer over_;
    asio::cancellation_signal wake_;
    asio::cancellation_signal halt_;
    std::exception_ptr thrown_;
    bool time_is_up_ = false;
    bool ended_ = false;
};

/// The next snapshot; null when the time is up.
inline asio::awaitable<std::shared_ptr<const waybill::snapshot>> next_of(waybill::feed& feed, delivery& current) {
    try {
        auto token = current.until_then();
        co_return co_await feed.async_next(token);
    } catch (const std::system_error& e) {
        if (!current.time_is_up() || e.code() != waybill::cause::canceled) {
            throw;
        }
    }
    co_return nullptr;
}

inline asio::awaitable<int> run(waybill::uploader& up, const settings& s) {
    const std::vector<waybill::job_snapshot> opens_the_store = co_await up.async_list(std::nullopt, 1);
    waybill::feed feed = up.snapshots();
    std::shared_ptr<const waybill::snapshot> next = co_await feed.async_next();
    const std::uint64_t bad_before = next ? bad_jobs(next->overall()) : 0;
    // Jobs that failed before do not count for this run.
    std::map<waybill::job_seq, std::pair<waybill::status, int>> before;
    const std::function<void(const waybill::job_snapshot&)> remember = [&before](const waybill::job_snapshot& job) {
        if (is_bad(job.status)) {
            before.emplace(job.seq, std::pair(job.status, job.epoch));
        }
    };
    if (bad_before != 0) {
        co_await for_each_job(up, remember);
    }
    const std::shared_ptr<progress> shown = make_progress(s);
    const auto show = [&] {
        if (shown) {
            shown->show(*next);
        } else if (s.progress == "json") {
            std::cout << line(to_json(*next)) << std::endl;
        }
    };
    const auto current = std::make_shared<delivery>(co_await asio::this_coro::executor);
    if (next) {
        show();
        delivery::begin(current, up);
    }
    asio::steady_timer limit(co_await asio::this_coro::executor);
    if (s.run_for) {
        limit.expires_after(*s.run_for);
        limit.async_wait([current](std::error_code ec) {
            if (!ec) {
                current->end_waiting();
            }
        });
    }
    auto window = std::make_shared<asio::signal_set>(co_await asio::this_coro::executor, SIGWINCH);
    if (shown) {
        draw_on_change(window, [shown, &up] { shown->show(*up.latest()); });
    }
    while (next && !current->time_is_up()) {
        next = co_await next_of(feed, *current);
        if (next) {
            show();
        }
        // Not with the first one: only once it delivers, it knows which uploads must be deleted on servers.
        if (next && s.until_idle && next->at_rest() && !next->cleaning()) {
            break;
        }
    }
    window.reset();
    if (shown) {
        shown->finish();
    }
    if (!next && !current->time_is_up()) {  // a signal has closed the store
        co_return bad_jobs(up.latest()->overall()) > bad_before ? not_all_well : all_well;
    }
    co_await current->end();
    report end(shown != nullptr);
    const std::function<void(const waybill::job_snapshot&)> add = [&](const waybill::job_snapshot& job) {
        const auto known = before.find(job.seq);
        const bool is_news = known == before.end() || known->second != std::pair(job.status, job.epoch);
        const bool left = is_open(job.status) || job.status == waybill::status::paused;
        if (left || (is_bad(job.status) && is_news)) {
            end.add(job);
        }
    };
    const waybill::totals all = up.latest()->overall();
    if (bad_jobs(all) != 0 || all[waybill::status::paused].jobs != 0 || !up.latest()->idle()) {
        co_await for_each_job(up, add);
    }
    end.print();
    const std::shared_ptr<const waybill::snapshot> last = up.latest();
    for (const waybill::hold& one : last->holds()) {
        std::cerr << "waybill: " << printable(in_words(one)) << std::endl;
    }
    co_return end.code();
}

}  // namespace cli
