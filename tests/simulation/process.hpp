// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/put/protocol.hpp>
#include <waybill/protocol/resumable/protocol.hpp>
#include <waybill/protocol/s3/protocol.hpp>
#include <waybill/protocol/tus/protocol.hpp>

#include "simulation/careless.hpp"
#include "simulation/network.hpp"
#include "simulation/simulation.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace waybill::simulation {

/// One process: an uploader and its loop. Its destruction is its death.
class process {
public:
    explicit process(simulation& of) {
        const auto executor = context_.get_executor();
        store_ = std::make_shared<testing::memory_store>(executor, of.disk_);
        store_->acknowledge_early = of.how_.planted == plant::early_ack;
        store_->count_refused = of.how_.planted == plant::refused_counted;
        store_->write_refused = of.how_.planted == plant::stale_commit;
        store_->format = of.format_;
        store_->migrate = [](loaded_job& whole) { add_newer_fields(whole); };
        store_->migrate_by_halves = of.how_.planted == plant::migration_half;
        store_->drop_unknown = of.how_.planted == plant::unknown_tag_dropped;
        store_->before_open = [&of] {
            if (!of.server_.healed && of.random_.chance(0.05)) {
                of.open_failure_ = of.random_.chance(0.5) ? errc::store_full : errc::store_failed;
                throw error(of.open_failure_, "simulated");
            }
        };
        store_->before_write = [&of] {
            if (of.full_writes_ > 0) {
                --of.full_writes_;
                if (of.random_.chance(0.7)) {  // others find space in between
                    throw error(errc::store_full, "simulated");
                }
            }
            if (of.how_.planted == plant::run_dies && of.random_.chance(0.002)) {
                throw std::runtime_error("planted");
            }
            if (!of.server_.healed && of.random_.chance(0.002)) {
                of.server_.uploads().excuse_uncommitted();  // memory is forgotten with it
                throw error(errc::store_failed, "simulated");
            }
        };
        store_->before_read = [&of] {
            if (!of.server_.healed && of.random_.chance(0.001)) {
                of.server_.uploads().excuse_uncommitted();
                throw error(errc::store_failed, "simulated");
            }
        };
        options how;
        how.replace.store = store_;
        std::function<void(const std::string&)> tell;
        if (of.how_.verbose) {
            tell = [&of](const std::string& what) { of.say(what); };
        }
        how.replace.transport =
            std::make_shared<network>(executor, of.server_, of.random_, of.clock_, of.how_.planted, std::move(tell));
        if (of.how_.planted == plant::changed_file || of.how_.planted == plant::no_cap) {
            how.replace.sources = std::make_shared<careless_sources>(of.files_.files, of.how_.planted == plant::no_cap);
        } else if (of.how_.planted == plant::numbers_decide || of.how_.planted == plant::mixture) {
            how.replace.sources = std::make_shared<mistaken_sources>(of.files_.files, of.how_.planted);
        } else {
            how.replace.sources = make_sources(of.files_.files);
        }
        const plant planted = of.how_.planted;
        how.protocols.add("s3", [planted](const protocol_spec& spec) { return planted_in(planted, make_s3(spec)); });
        how.protocols.add("put", [planted](const protocol_spec& spec) {
            return planted_in(planted, std::make_unique<detail::put_protocol>(spec));
        });
        how.protocols.add("tus", [planted](const protocol_spec& spec) { return planted_in(planted, make_tus(spec)); });
        if (planted == plant::condition_repeated) {
            how.protocols.add("put", [planted](const protocol_spec& spec) {
                return planted_in(planted, std::make_unique<detail::put_protocol>(spec));
            });
        }
        if (planted >= plant::late_url) {
            how.protocols.add("resumable", [planted](const protocol_spec& spec) {
                return planted_in(planted, std::make_unique<detail::resumable_protocol>(spec));
            });
        }
        how.replace.clock = of.clock_;
        how.replace.random = std::make_shared<testing::seeded_random>(of.random_.next());
        how.keep_finished = std::chrono::hours(24 * 365);
        how.retry.max_age = of.max_age_;
        if (of.how_.planted == plant::eager_probes) {
            how.retry.cap = how.retry.host_pause = how.retry.host_pause_cap = std::chrono::seconds(5);
            how.retry.credentials_pause = how.retry.credentials_pause_cap = std::chrono::seconds(5);
        }
        how.max_concurrent_jobs = 1 + of.random_.below(4);
        how.verifiers["backend"] = [&of](const job_snapshot& about) -> asio::awaitable<verification> {
            co_return of.server_.verify(about.id().str(), about.error.item);
        };
        up_.emplace(executor, std::move(how));
        run();
    }

    /// Delivers; may be called again when it has ended.
    void run() {
        ended_.reset();
        canceled_ = false;
        up_->async_run(asio::bind_cancellation_slot(cancel_.slot(), [this](std::error_code ec) { ended_ = ec; }));
    }
    void cancel_run() {
        canceled_ = true;
        cancel_.emit(asio::cancellation_type::terminal);
    }

    /// The handler of an operation that the app cancels after some turns; below zero: never.
    template <class Handler>
    auto impatient(int turns, Handler handler) {
        auto signal = std::make_shared<asio::cancellation_signal>();
        impatient_.emplace_back(turns, signal);
        return asio::bind_cancellation_slot(signal->slot(), std::move(handler));
    }

    /// One turn of the loop; false when there is nothing to do now.
    bool turn() {
        for (auto& [turns, signal] : impatient_) {
            if (turns-- == 0) {
                signal->emit(asio::cancellation_type::terminal);
            }
        }
        context_.restart();
        return context_.poll_one() != 0;
    }
    uploader& up() { return *up_; }
    /// How `async_run` ended, if it did.
    [[nodiscard]] const std::optional<std::error_code>& ended() const noexcept { return ended_; }
    [[nodiscard]] bool canceled() const noexcept { return canceled_; }

private:
    [[nodiscard]] static std::unique_ptr<protocol> planted_in(plant planted, std::unique_ptr<protocol> sound) {
        return planted < plant::late_url ? std::move(sound)
                                         : std::make_unique<careless_protocol>(std::move(sound), planted);
    }
    /// In smaller parts than an item is worth cutting into.
    [[nodiscard]] static std::unique_ptr<protocol> make_tus(const protocol_spec& spec) {
        detail::tus_settings settings = detail::parse_tus_settings(spec);
        settings.least_part = 500;
        return std::make_unique<detail::tus_protocol>(std::move(settings));
    }
    /// In smaller parts than S3 has.
    [[nodiscard]] static std::unique_ptr<protocol> make_s3(protocol_spec spec) {
        const auto size = std::find_if(spec.settings.begin(), spec.settings.end(),
                                       [](const auto& setting) { return setting.first == "part-size"; });
        const std::uint64_t part_size = parse_decimal(size->second).value();
        spec.settings.erase(size);
        detail::s3_settings settings = detail::parse_s3_settings(spec);
        settings.part_size = part_size;
        return std::make_unique<detail::s3_protocol>(std::move(settings),
                                                     [](const std::string& /*origin*/, const std::string& /*profile*/) {
                                                         return s3_credentials{"access", "secret", ""};
                                                     });
    }

    std::shared_ptr<testing::memory_store> store_;
    std::optional<std::error_code> ended_;
    bool canceled_ = false;
    asio::io_context context_{1};
    std::vector<std::pair<int, std::shared_ptr<asio::cancellation_signal>>> impatient_;
    asio::cancellation_signal cancel_;
    std::optional<uploader> up_;
};

}  // namespace waybill::simulation
