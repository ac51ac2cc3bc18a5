// SPDX-License-Identifier: BSL-1.0
#pragma once

// What `waybill run` says at its end.

#include <waybill/waybill.hpp>

#include "exit_code.hpp"
#include "words.hpp"

#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cli {

/// A person must handle it.
inline bool is_bad(waybill::status s) {
    return s == waybill::status::failed || s == waybill::status::unknown_outcome;
}

inline std::uint64_t bad_jobs(const waybill::totals& t) {
    return t[waybill::status::failed].jobs + t[waybill::status::unknown_outcome].jobs;
}

/// Reads the whole store, page by page.
inline asio::awaitable<void> for_each_job(waybill::uploader& up,
                                          const std::function<void(const waybill::job_snapshot&)>& each) {
    constexpr std::size_t page = 256;
    std::optional<waybill::job_seq> after;
    for (std::size_t got = page; got == page;) {
        const std::vector<waybill::job_snapshot> jobs = co_await up.async_list(after, page);
        got = jobs.size();
        for (const waybill::job_snapshot& job : jobs) {
            after = job.seq;
            each(job);
        }
    }
}

/// Lists the jobs that a run did not complete, but not too many of them.
class report {
public:
    explicit report(bool failures_were_shown) : failures_were_shown_(failures_were_shown) {}

    void add(const waybill::job_snapshot& job) {
        ++(job.status == waybill::status::failed ? failed_ : is_bad(job.status) ? undecided_ : left_);
        if ((is_bad(job.status) && failures_were_shown_) || ++lines_ > most) {
            return;
        }
        const std::string words = situation(job);
        text_ += "waybill: " + std::string(to_string(job.status)) + " " + printable(job.id().str()) +
                 (words.empty() ? "" : "  " + printable(words)) + "\n";
    }

    [[nodiscard]] int code() const {
        return failed_ + undecided_ != 0 ? not_all_well : left_ != 0 ? some_are_left : all_well;
    }

    void print() const {
        if (lines_ > most) {
            std::cerr << text_ << "waybill: … and " << lines_ - most << " more; waybill list shows all\n";
        } else {
            std::cerr << text_;
        }
        std::string sum;
        for (const auto& [number, what] :
             {std::pair(failed_, "failed in this run"), std::pair(undecided_, "became undecided in this run"),
              std::pair(left_, "left for the next run")}) {
            if (number != 0) {
                sum += (sum.empty() ? "" : ", ") + count(number, "job") + " " + what;
            }
        }
        if (!sum.empty()) {
            std::cerr << "waybill: " << sum << std::endl;
        }
    }

private:
    static constexpr std::size_t most = 20;
    bool failures_were_shown_;
    std::size_t failed_ = 0;
    std::size_t undecided_ = 0;
    std::size_t left_ = 0;
    std::size_t lines_ = 0;
    std::string text_;
};

}  // namespace cli
