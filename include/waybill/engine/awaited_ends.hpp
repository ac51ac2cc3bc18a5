// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/condition.hpp>
#include <waybill/model/record.hpp>

#include <cstddef>
#include <map>

namespace waybill::detail {

/// Jobs whose end is awaited.
///
/// @par Thread safety
///   On the uploader's strand.
class awaited_ends {
    struct awaited_end {
        explicit awaited_end(const strand& home) : reached(home) {}
        condition reached;
        std::size_t waiters = 0;
    };
    using ends = std::map<job_seq, awaited_end>;

public:
    explicit awaited_ends(const strand& home) : home_(home) {}
    awaited_ends(const awaited_ends&) = delete;
    awaited_ends& operator=(const awaited_ends&) = delete;

    /// One wait for the end of a job. The last wait removes the entry: the ends of most jobs are not awaited.
    class watch {
    public:
        watch(awaited_ends& owner, job_seq seq)
            : ends_(owner.ends_), place_(owner.ends_.try_emplace(seq, owner.home_).first) {
            ++place_->second.waiters;
        }
        watch(const watch&) = delete;
        watch& operator=(const watch&) = delete;
        ~watch() {
            if (--place_->second.waiters == 0) {
                ends_.erase(place_);
            }
        }
        [[nodiscard]] asio::awaitable<void> reached() const { return place_->second.reached.wait(); }

    private:
        ends& ends_;
        ends::iterator place_;
    };

    void notify(job_seq seq) {
        if (const auto found = ends_.find(seq); found != ends_.end()) {
            found->second.reached.notify_all();
        }
    }
    /// Every waiter checks again.
    void notify_all() {
        for (auto& [seq, end] : ends_) {
            end.reached.notify_all();
        }
    }

private:
    strand home_;
    ends ends_;
};

}  // namespace waybill::detail
