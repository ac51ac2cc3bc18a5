// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "simulation/network.hpp"
#include "simulation/simulation.hpp"

#include <asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace waybill::simulation {

/// One process: an uploader and its loop. Its destruction is its death.
class process {
public:
    explicit process(simulation& of) {
        const auto executor = context_.get_executor();
        store_ = std::make_shared<testing::memory_store>(executor, of.disk_);
        store_->acknowledge_early = of.how_.planted == plant::early_ack;
        store_->before_write = [&of] {
            if (of.full_writes_ > 0) {
                --of.full_writes_;
                throw error(errc::store_full, "simulated");
            }
            if (!of.server_.healed && of.random_.chance(0.002)) {
                throw error(errc::store_failed, "simulated");
            }
        };
        options how;
        how.replace.store = store_;
        how.replace.transport = std::make_shared<network>(executor, of.server_, of.random_, of.clock_, of.how_.planted,
                                                          [&of](const std::string& what) { of.say(what); });
        if (of.how_.planted == plant::changed_file || of.how_.planted == plant::no_cap) {
            how.replace.sources = std::make_shared<careless_sources>(of.files_.files, of.how_.planted == plant::no_cap);
        } else {
            how.replace.sources = std::make_shared<testing::memory_sources>(of.files_.files);
        }
        how.replace.clock = of.clock_;
        how.replace.random = std::make_shared<testing::seeded_random>(of.random_.next());
        how.keep_finished = std::chrono::hours(24 * 365 * 100);
        how.retry.max_age = std::chrono::hours(24 * 365 * 100);
        how.jobs_at_once = 1 + of.random_.below(4);
        how.verifiers["backend"] = [&of](const job_snapshot& about) -> asio::awaitable<verification> {
            const posted_job& job = of.jobs_.at(about.id().str());
            const bool knows = of.server_.healed || of.random_.chance(0.6);
            verification said = verification::unknown;
            if (knows) {
                said = job.finalised > 0 ? verification::delivered : verification::not_delivered;
            }
            co_return said;
        };
        up_.emplace(executor, std::move(how));
        up_->async_run([this](std::error_code) { ended_ = true; });
    }

    /// One turn of the loop; false when there is nothing to do now.
    bool turn() {
        context_.restart();
        return context_.poll_one() != 0;
    }
    uploader& up() { return *up_; }
    /// `async_run` is over: the store has failed under it.
    [[nodiscard]] bool ended() const noexcept { return ended_; }

private:
    std::shared_ptr<testing::memory_store> store_;
    bool ended_ = false;
    asio::io_context context_{1};
    std::optional<uploader> up_;
};

}  // namespace waybill::simulation
