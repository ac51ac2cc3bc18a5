// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/options.hpp>
#include <waybill/testing/fake_server.hpp>
#include <waybill/testing/manual_clock.hpp>
#include <waybill/testing/memory_sources.hpp>
#include <waybill/testing/memory_store.hpp>
#include <waybill/testing/seeded_random.hpp>
#include <waybill/uploader.hpp>

#include <asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace waybill::testing {

/// What survives a process that dies: the disk, the files, the server, and time.
struct surroundings {
    std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
    std::shared_ptr<memory_files> files = std::make_shared<memory_files>();
    std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
    fake_server server;
};

/// One lifetime of an app's process: an uploader that delivers, and the loop it shares with the app. Destroying it is a
/// crash: state that has not reached the disk is lost; what the server has, it keeps.
///
/// @par Thread safety
///   Used on one thread.
class process {
public:
    /// @param around must outlive it.
    /// @param adjust sets options for the test: credentials, verifiers, protocols, policies.
    /// @param seed the same seed gives the same run again.
    explicit process(surroundings& around, const std::function<void(options&)>& adjust = {}, std::uint64_t seed = 1)
        : around_(around) {
        options how;
        how.replace.store = std::make_shared<memory_store>(context_.get_executor(), around.disk);
        how.replace.transport = around.server.connect(context_.get_executor());
        const auto sources = std::make_shared<memory_sources>(around.files);
        sources->piece = 1000;  // a crash can come while an item is read
        how.replace.sources = sources;
        how.replace.clock = around.clock;
        how.replace.random = std::make_shared<seeded_random>(seed);
        if (adjust) {
            adjust(how);
        }
        up_.emplace(context_.get_executor(), std::move(how));
        up_->async_run([this](std::error_code ec) { ended_ = ec; });
    }

    [[nodiscard]] uploader& up() noexcept { return *up_; }
    /// For the app's own coroutines.
    [[nodiscard]] asio::io_context& context() noexcept { return context_; }
    /// How delivering ended, if it did.
    [[nodiscard]] const std::optional<std::error_code>& ended() const noexcept { return ended_; }

    /// Runs the next event; if there is none now, advances time to the next alarm. False when there is no alarm either:
    /// the process is idle.
    bool turn() {
        context_.restart();
        if (context_.poll_one() != 0) {
            around_.clock->advance(std::chrono::milliseconds(1));
            return true;
        }
        return around_.clock->advance_to_next();
    }

    /// Runs until idle. Throws `std::runtime_error` when it never becomes idle.
    void run() {
        constexpr int most_turns = 5'000'000;
        for (int i = 0; i < most_turns; ++i) {
            if (!turn()) {
                return;
            }
        }
        throw std::runtime_error("the process does not become idle");
    }

private:
    surroundings& around_;
    std::optional<std::error_code> ended_;
    asio::io_context context_{1};
    std::optional<uploader> up_;
};

}  // namespace waybill::testing
