// SPDX-License-Identifier: BSL-1.0
#pragma once

// The subcommands, each a coroutine that completes with an exit code.

#include <waybill/waybill.hpp>

#include "job.hpp"
#include "json.hpp"
#include "progress.hpp"
#include "settings.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <unistd.h>

namespace cli {

enum exit_code : int { all_well = 0, not_all_well = 1, usage = 2, locked = 3, damaged = 4, broken = 5 };

inline asio::awaitable<int> add(waybill::uploader& up, const settings& s) {
    const waybill::job_id id = co_await up.async_enqueue(job_from(s));
    std::cout << id.str() << std::endl;
    co_return all_well;
}

inline int verdict(const waybill::snapshot& end) {
    const waybill::totals& t = end.overall();
    const bool well = t[waybill::status::failed].jobs == 0 && t[waybill::status::unknown_outcome].jobs == 0;
    return well ? all_well : not_all_well;
}

inline asio::awaitable<int> run(waybill::uploader& up, const settings& s) {
    std::unique_ptr<progress> shown;
    if (s.progress == "bar") {
        shown = ::isatty(STDOUT_FILENO) != 0 ? std::unique_ptr<progress>(std::make_unique<bar_progress>())
                                             : std::make_unique<plain_progress>();
    }
    waybill::feed feed = up.snapshots();
    std::shared_ptr<const waybill::snapshot> last = up.latest();
    while (auto next = co_await feed.async_next()) {
        last = next;
        if (shown) {
            shown->show(*next);
        } else if (s.progress == "json") {
            std::cout << line(to_json(*next)) << std::endl;
        }
        if (s.until_idle && next->idle() && !next->cleaning()) {
            break;
        }
    }
    if (shown) {
        shown->finish();
    }
    co_return verdict(*last);
}

inline asio::awaitable<int> list(waybill::uploader& up, const settings& s) {
    std::optional<waybill::job_seq> after;
    constexpr std::size_t page = 256;
    std::size_t widest_id = 20;
    for (;;) {
        const std::vector<waybill::job_snapshot> jobs = co_await up.async_list(after, page);
        for (const waybill::job_snapshot& job : jobs) {
            widest_id = std::max(widest_id, job.id().str().size());  // never cut: whoever reads it may have to type it
        }
        for (const waybill::job_snapshot& job : jobs) {
            if (s.json) {
                std::cout << line(to_json_with_places(job)) << "\n";
            } else {
                std::cout << fit(job.id().str(), widest_id + 2) << fit(to_string(job.now), 16)
                          << fit(std::to_string(static_cast<int>(job.progress() * 100)) + " %", 7)
                          << fit(bytes(static_cast<double>(job.size())), 10) << printable(job.about->url)
                          << (job.error ? "  " + printable(job.error.message()) : "") << "\n";
            }
        }
        if (jobs.size() < page) {
            co_return all_well;
        }
        after = jobs.back().seq;
    }
}

/// What an interruption came to, for the user.
inline std::string interrupted(const CLI::App& app) {
    return app.got_subcommand("add")    ? "interrupted; the job was not accepted"
           : app.got_subcommand("run")  ? "interrupted; everything is kept for the next run"
           : app.got_subcommand("list") ? "interrupted; not all jobs are listed"
                                        : "interrupted; nothing was changed";
}

inline int code_of(const std::error_code& ec) {
    if (ec == waybill::errc::store_locked) {
        return locked;
    }
    if (ec == waybill::errc::store_damaged || ec == waybill::errc::store_too_new) {
        return damaged;
    }
    return ec == waybill::cause::permanent && ec != waybill::cause::storage ? usage : broken;
}

}  // namespace cli
