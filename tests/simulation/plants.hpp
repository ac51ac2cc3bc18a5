// SPDX-License-Identifier: BSL-1.0
#pragma once

// Bugs to plant on purpose: a simulation that stays green with one of them proves nothing.

#include <waybill/testing/memory_sources.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::simulation {

enum class plant : std::uint8_t {
    none,
    early_ack,            ///< a change is acknowledged before it is on the disk
    unsynced,             ///< a crash takes the last acknowledged commits with it, as `synchronous=NORMAL` does
    lost_job,             ///< a crash takes one whole job with it
    half_job,             ///< a crash tears a job: its last item is missing
    changed_file,         ///< a file that changed is read on as if it were the accepted one
    no_cap,               ///< a file that grew is sent to its new end
    handed_over,          ///< a success counts as soon as the body has been handed over
    resend,               ///< the transport repeats a request whose answer was lost by itself
    no_tail_mark,         ///< the last byte leaves before the mark is durable
    fresh_key,            ///< every attempt has another Idempotency-Key
    doubt_lost,           ///< retrying a job that waits takes its doubt away
    doubt_fails,          ///< a job that may have arrived fails because its file is another one
    doubt_invented,       ///< a job is set aside though nothing of it has arrived
    untried,              ///< a job that is too old at a start fails without having been tried
    outage_counts,        ///< what a host that is away costs is counted, and ends the job
    lane_waits,           ///< a job whose host is away holds up its whole lane
    pause_lost,           ///< a crash takes pauses with it
    pause_for_ever,       ///< a crash takes the ends of pauses with it
    hold_lost,            ///< a crash takes the pauses of lanes with it
    hold_for_ever,        ///< the pause of a lane for a time lasts much longer after a crash
    refusals_forgotten,   ///< how often its host has refused a job is not kept: it holds up its lane
    eager_probes,         ///< a host that is away is asked again and again
    wall_age,             ///< a job is as old as the wall clock says
    wall_forgets,         ///< finished jobs are forgotten when the wall clock says that they are old
    numbers_decide,       ///< a file is another one when its numbers or its ctime are
    mixture,              ///< an upload goes on although nobody knows whether its file was edited meanwhile
    run_dies,             ///< an exception of any kind ends the run, not only a failing disk
    stale_commit,         ///< what was refused on a full disk is written over what came after it
    refused_counted,      ///< the totals keep jobs whose acceptance was rolled back
    migration_half,       ///< a crash leaves half of a migration
    unknown_tag_dropped,  ///< fields of a newer version are not written back
    late_url,             ///< an upload's URL is not committed before its first byte leaves
    own_count,            ///< an upload goes on at what this side has sent, not at what the server says
    eager_checkpoint,     ///< a checkpoint counts bytes that the server has not confirmed
    unmarked,             ///< what finishes an upload leaves no mark
    no_cleanup,           ///< uploads that are given up stay at the server
    unguarded,            ///< a POST of an item's bytes is sent as if it were idempotent
    undelivered,          ///< a delivered upload is not noted as such: giving up the rest of the job deletes it
    mark_cleared_early,   ///< a mark goes before what settled it is kept
    expiry_guessed,       ///< whether an upload has expired is told by this side's clock
    hidden_fails,         ///< an upload that is not shown ends its job
    tail_loss_fails,      ///< a server that has lost bytes of an upload ends its job
    condition_repeated,   ///< a conditional PUT is repeated as if it were idempotent
    options_waited_for,   ///< an endpoint that breaks over OPTIONS is asked for ever
    tagless_success,      ///< S3's success without an ETag is believed
    lists_needed,         ///< an S3 server that lists no parts ends the job
};

inline constexpr std::array<std::pair<std::string_view, plant>, 47> plants = {{
    {"none", plant::none},
    {"early_ack", plant::early_ack},
    {"unsynced", plant::unsynced},
    {"lost_job", plant::lost_job},
    {"half_job", plant::half_job},
    {"changed_file", plant::changed_file},
    {"no_cap", plant::no_cap},
    {"handed_over", plant::handed_over},
    {"resend", plant::resend},
    {"no_tail_mark", plant::no_tail_mark},
    {"fresh_key", plant::fresh_key},
    {"doubt_lost", plant::doubt_lost},
    {"doubt_fails", plant::doubt_fails},
    {"doubt_invented", plant::doubt_invented},
    {"untried", plant::untried},
    {"outage_counts", plant::outage_counts},
    {"lane_waits", plant::lane_waits},
    {"pause_lost", plant::pause_lost},
    {"pause_for_ever", plant::pause_for_ever},
    {"hold_lost", plant::hold_lost},
    {"hold_for_ever", plant::hold_for_ever},
    {"refusals_forgotten", plant::refusals_forgotten},
    {"eager_probes", plant::eager_probes},
    {"wall_age", plant::wall_age},
    {"wall_forgets", plant::wall_forgets},
    {"numbers_decide", plant::numbers_decide},
    {"mixture", plant::mixture},
    {"run_dies", plant::run_dies},
    {"stale_commit", plant::stale_commit},
    {"refused_counted", plant::refused_counted},
    {"migration_half", plant::migration_half},
    {"unknown_tag_dropped", plant::unknown_tag_dropped},
    {"late_url", plant::late_url},
    {"own_count", plant::own_count},
    {"eager_checkpoint", plant::eager_checkpoint},
    {"unmarked", plant::unmarked},
    {"no_cleanup", plant::no_cleanup},
    {"unguarded", plant::unguarded},
    {"undelivered", plant::undelivered},
    {"mark_cleared_early", plant::mark_cleared_early},
    {"expiry_guessed", plant::expiry_guessed},
    {"hidden_fails", plant::hidden_fails},
    {"tail_loss_fails", plant::tail_loss_fails},
    {"condition_repeated", plant::condition_repeated},
    {"options_waited_for", plant::options_waited_for},
    {"tagless_success", plant::tagless_success},
    {"lists_needed", plant::lists_needed},
}};

[[nodiscard]] inline std::optional<plant> plant_named(std::string_view name) {
    for (const auto& [known, what] : plants) {
        if (known == name) {
            return what;
        }
    }
    return std::nullopt;
}

/// Sources in which so little of a file is looked at that much of it can change unseen.
[[nodiscard]] inline std::shared_ptr<testing::memory_sources> make_sources(
    std::shared_ptr<testing::memory_files> files) {
    auto sources = std::make_shared<testing::memory_sources>(std::move(files), detail::sampling{32, 4});
    sources->piece = 100;
    return sources;
}

/// Sources that look at files in a wrong way.
class mistaken_sources final : public source_opener {
public:
    mistaken_sources(std::shared_ptr<testing::memory_files> files, plant planted)
        : files_(std::move(files)), sound_(make_sources(files_)), planted_(planted) {}

    asio::awaitable<std::vector<pinned_file>> pin(std::vector<wanted_file> files) override {
        return sound_->pin(std::move(files));
    }
    [[nodiscard]] std::unique_ptr<body_source> open(const item_spec& item) override {
        const bool file = item.kind != source_kind::bytes;
        if (planted_ == plant::numbers_decide && file && files_->at(item.path).identity != item.identity) {
            throw error(errc::file_changed, item.path);
        }
        return sound_->open(item);
    }
    [[nodiscard]] std::size_t piece_size() const noexcept override { return sound_->piece_size(); }
    asio::awaitable<std::vector<recognition>> recognize(std::vector<item_spec> items,
                                                        std::vector<bool> begun) override {
        std::vector<recognition> found = co_await sound_->recognize(std::move(items), std::move(begun));
        for (recognition& one : found) {
            one.certain = one.certain || planted_ == plant::mixture;
        }
        co_return found;
    }

private:
    std::shared_ptr<testing::memory_files> files_;
    std::shared_ptr<testing::memory_sources> sound_;
    plant planted_;
};

/// Sources that do not look whether the file is still the accepted one.
class careless_sources final : public source_opener {
public:
    careless_sources(std::shared_ptr<testing::memory_files> files, bool to_the_end)
        : files_(std::move(files)), careful_(files_), to_the_end_(to_the_end) {}

    asio::awaitable<std::vector<pinned_file>> pin(std::vector<wanted_file> files) override {
        return careful_.pin(std::move(files));
    }
    [[nodiscard]] std::unique_ptr<body_source> open(const item_spec& item) override {
        return std::make_unique<source>(files_, item, to_the_end_);
    }
    [[nodiscard]] std::size_t piece_size() const noexcept override { return 100; }

private:
    class source final : public body_source {
    public:
        source(std::shared_ptr<testing::memory_files> files, const item_spec& item, bool to_the_end)
            : files_(std::move(files)), path_(item.path),
              size_(to_the_end ? files_->at(item.path).content.size() : item.size) {}
        [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
        void read(std::uint64_t offset, std::span<char> out) override {
            const std::string& content = files_->at(path_).content;
            for (std::size_t i = 0; i < out.size(); ++i) {
                const std::size_t at = static_cast<std::size_t>(offset) + i;
                out[i] = at < content.size() ? content[at] : '\0';
            }
        }

    private:
        std::shared_ptr<testing::memory_files> files_;
        std::string path_;
        std::uint64_t size_;
    };

    std::shared_ptr<testing::memory_files> files_;
    testing::memory_sources careful_;
    bool to_the_end_;
};

}  // namespace waybill::simulation
