// SPDX-License-Identifier: BSL-1.0
#pragma once

// The subcommands, each a coroutine that completes with an exit code.

#include <waybill/waybill.hpp>

#include "exit_code.hpp"
#include "job.hpp"
#include "json.hpp"
#include "screen.hpp"
#include "settings.hpp"
#include "words.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace cli {

inline asio::awaitable<int> add(waybill::uploader& up, const settings& s) {
    const waybill::job_id id = co_await up.async_enqueue(job_from(s));
    std::cout << id.str() << std::endl;
    co_return all_well;
}

inline waybill::selection selection_from(const settings& s) {
    return s.all ? waybill::selection::all() : waybill::selection::lane(*s.of_lane);
}

inline asio::awaitable<int> pause(waybill::uploader& up, const settings& s) {
    if (s.all || s.of_lane) {
        co_await up.async_pause(selection_from(s), pause_from(s));
    } else {
        co_await up.async_pause(waybill::job_id(s.id), pause_from(s));
    }
    co_return all_well;
}

inline asio::awaitable<int> resume(waybill::uploader& up, const settings& s) {
    if (s.all || s.of_lane) {
        co_await up.async_resume(selection_from(s));
    } else {
        co_await up.async_resume(waybill::job_id(s.id));
    }
    co_return all_well;
}

inline std::string in_words(const waybill::limit_scope& what) {
    switch (what.what()) {
        case waybill::limit_scope::kind::total: return "everything";
        case waybill::limit_scope::kind::host: return "host " + what.name();
        case waybill::limit_scope::kind::lane: return "lane '" + what.name() + "'";
        default: return "job " + what.name();
    }
}

inline asio::awaitable<int> limit(waybill::uploader& up, const settings& s) {
    if (s.rates.empty()) {
        const std::vector<waybill::bandwidth_limit> all = co_await up.async_limits();
        for (const waybill::bandwidth_limit& one : all) {
            std::cout << printable(in_words(one.what) + "  " + one.rates) << "\n";
        }
        std::cout << (all.empty() ? "nothing is limited\n" : "");
        co_return all_well;
    }
    waybill::limit_scope what = waybill::limit_scope::total();
    if (s.of_host) {
        what = waybill::limit_scope::host(*s.of_host);
    } else if (s.of_lane) {
        what = waybill::limit_scope::lane(*s.of_lane);
    }
    std::string rates = s.rates;
    if (rates == "default") {
        rates.clear();
    }
    co_await up.async_limit(what, std::move(rates));
    co_return all_well;
}

/// A line for each job, and below it the details. If that line would be too long, the URL is below it.
inline void print(const waybill::job_snapshot& job, std::size_t widest_id) {
    const bool narrow = is_terminal() && screen_now().columns < 72;
    std::cout << fit(job.id().str(), narrow ? job.id().str().size() + 2 : widest_id + 2)
              << fit(to_string(job.status), narrow ? to_string(job.status).size() + 2 : 16)
              << fit(std::to_string(static_cast<int>(job.progress() * 100)) + " %", narrow ? 6 : 7)
              << fit(bytes(static_cast<double>(job.size())), 10) << (narrow ? "\n    " : "")
              << printable(job.about->url) << "\n";
    if (const std::string words = situation(job); !words.empty()) {
        std::cout << "    " << printable(words) << "\n";
    }
}

inline asio::awaitable<int> list(waybill::uploader& up, const settings& s) {
    std::optional<waybill::job_seq> after;
    constexpr std::size_t page = 256;
    std::size_t widest_id = 20;
    for (;;) {
        const std::vector<waybill::job_snapshot> jobs = co_await up.async_list(after, page);
        for (const waybill::job_snapshot& job : jobs) {
            widest_id = std::max(widest_id, job.id().str().size());  // never truncated: the user may have to type it
        }
        for (const waybill::job_snapshot& job : jobs) {
            if (s.json) {
                std::cout << line(to_json_with_places(job)) << "\n";
            } else {
                print(job, widest_id);
            }
        }
        if (jobs.size() < page) {
            break;
        }
        after = jobs.back().seq;
    }
    const std::shared_ptr<const waybill::snapshot> now = co_await up.snapshots().async_next();
    if (now && !s.json) {
        for (const waybill::hold& one : now->holds()) {
            std::cout << printable(in_words(one)) << "\n";
        }
    }
    co_return all_well;
}

/// As people here read a time.
inline std::string local_time(waybill::unix_millis when) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
    std::tm parts{};
    char text[64] = "?";
    if (::localtime_r(&seconds, &parts) != nullptr) {
        std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    }
    return text;
}

/// Everything about one job, for people.
inline void print_all(const waybill::job_snapshot& job) {
    const auto say = [](const char* what, const std::string& value) {
        if (!value.empty()) {
            std::cout << "  " << fit(what, 12) << printable(value) << "\n";
        }
    };
    std::cout << printable(job.id().str()) << "  " << to_string(job.status) << "\n";
    say("to", job.about->url);
    say("via",
        job.about->protocol + (job.negotiated_protocol.empty() ? "" : ", found to be " + job.negotiated_protocol));
    say("lane", job.about->lane);
    say("accepted", local_time(job.about->accepted));
    say("finished", job.terminal() ? local_time(job.finished) : "");
    say("attempt", job.attempt == 0 ? "" : std::to_string(job.attempt));
    say("confirmed", bytes(static_cast<double>(job.confirmed)) + " of " + bytes(static_cast<double>(job.size())));
    say("upload", job.resource);
    say("situation", situation(job));
    if (is_open(job.status)) {
        const auto most = std::chrono::duration_cast<std::chrono::seconds>(waybill::retry_policy().max_age);
        say("fails", "after " + duration(most) + " in which it could be tried, or as waybill run --max-age says");
    }
    for (std::size_t i = 0; i < job.item_count(); ++i) {
        const waybill::item_snapshot item = job.item(i);
        std::cout << "  " << fit(to_string(item.status), 12) << fit(bytes(static_cast<double>(item.size)), 10)
                  << printable(item.path.empty() ? item.name : item.path) << "\n";
        say("", item.resource.empty() ? "" : "upload " + item.resource);
        say("", item.receipt.empty() ? "" : "receipt " + item.receipt);
    }
}

inline asio::awaitable<int> show(waybill::uploader& up, const settings& s) {
    const waybill::job_snapshot job = co_await up.async_find(waybill::job_id(s.id));
    if (s.json) {
        std::cout << line(to_json_with_places(job)) << "\n";
    } else {
        print_all(job);
    }
    co_return all_well;
}

inline asio::awaitable<int> explain(waybill::uploader& up, const settings& s) {
    const std::vector<waybill::closed_gate> all = co_await up.async_explain(waybill::job_id(s.id));
    for (const waybill::closed_gate& one : all) {
        if (s.json) {
            nlohmann::ordered_json out;
            out["gate"] = waybill::to_string(one.which);
            out["detail"] = one.detail;
            if (one.until) {
                out["until_ms"] = one.until->time_since_epoch().count();
            }
            std::cout << line(out) << "\n";
        } else {
            std::cout << printable(in_words(one)) << (one.until ? "; until " + local_time(*one.until) : "") << "\n";
        }
    }
    if (all.empty() && !s.json) {
        const waybill::job_snapshot job = co_await up.async_find(waybill::job_id(s.id));
        std::cout << "nothing keeps it: it is " << to_string(job.status) << "\n";
    }
    co_return all_well;
}

/// The result of an interruption, for the user.
inline std::string interrupted(const CLI::App& app) {
    return app.got_subcommand("add")    ? "interrupted; the job was not accepted"
           : app.got_subcommand("run")  ? "interrupted; everything is kept for the next run"
           : app.got_subcommand("list") ? "interrupted; not all jobs are listed"
           : app.got_subcommand("show") ? "interrupted"
                                        : "interrupted; nothing was changed";
}

/// The command's own remedy for an error, in addition to the library's message; empty: none.
inline std::string hint(const std::error_code& ec, std::string_view text) {
    if (ec == waybill::errc::duplicate_name) {
        return "; --name gives each file a name of its own, in their order";
    }
    if (ec == waybill::errc::forbidden_header && text.find("is a secret") != std::string_view::npos) {
        return "; waybill run --credential sends one that is not stored";
    }
    if (ec == waybill::errc::store_locked) {
        return "; --store names another one";
    }
    if (ec == waybill::errc::unknown_job) {
        return "; waybill list shows all";
    }
    return "";
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
