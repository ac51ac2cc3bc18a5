// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/condition.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/engine/awaited_ends.hpp>
#include <waybill/engine/bandwidth.hpp>
#include <waybill/engine/engine_parts.hpp>
#include <waybill/engine/ledger.hpp>
#include <waybill/engine/lifecycle.hpp>
#include <waybill/engine/queue/due_jobs.hpp>
#include <waybill/engine/queue/holds.hpp>
#include <waybill/engine/run/outcome.hpp>
#include <waybill/engine/run/running_jobs.hpp>
#include <waybill/engine/show/observer_hub.hpp>
#include <waybill/engine/store_clock.hpp>
#include <waybill/platform/home_process.hpp>

#include <exception>
#include <memory>
#include <optional>

namespace waybill::detail {

class cleaner;

/// What the loop and the app's operations share: the open store, the queue, the runs, and what is shown.
///
/// @par Thread safety
///   On the uploader's strand; `hub().latest()` from any thread.
class engine_base : public std::enable_shared_from_this<engine_base>, private run_observer {
public:
    engine_base(const engine_base&) = delete;
    engine_base& operator=(const engine_base&) = delete;
    ~engine_base() override;

    /// Opens the store, once for all callers: if a caller is canceled, the opening continues for the others. Every
    /// operation does this by itself.
    asio::awaitable<void> open();

    [[nodiscard]] observer_hub& hub() noexcept { return hub_; }
    [[nodiscard]] const strand& home() const noexcept { return home_; }
    /// In a forked child it must not be touched.
    [[nodiscard]] bool is_inherited() const noexcept { return process_.left(); }

protected:
    using need = lifecycle::need;
    using phase = lifecycle::phase;

    engine_base(strand home, engine_parts parts, options options);

    // One job. `require` throws `errc::unknown_job`; `load_sound` throws `errc::record_damaged` for a record that
    // cannot be trusted, and which is a failed job from then on.
    asio::awaitable<job_seq> require(job_id id);
    asio::awaitable<loaded_job> load(job_seq seq);
    asio::awaitable<loaded_job> load_sound(job_seq seq);
    asio::awaitable<void> change(loaded_job whole, job_change next);
    asio::awaitable<void> quarantine(loaded_job whole) override;
    asio::awaitable<void> quarantine_if_possible(loaded_job whole);
    void place(job_seq seq, const job_spec& spec, const job_state& state);
    void note_pause(job_seq seq, const job_state& state);
    void close(const selection& which, bool closed);
    void set_hold(const hold& what);
    void end_hold(const selection& which);
    /// Holds and limits are changed one after the other: a change that fails goes back to what is committed.
    asio::awaitable<void> until_rules_are_free();
    class changing_rules {
    public:
        explicit changing_rules(engine_base& owner) : owner_(owner) { owner_.rules_change_ = true; }
        changing_rules(const changing_rules&) = delete;
        changing_rules& operator=(const changing_rules&) = delete;
        ~changing_rules() {
            owner_.rules_change_ = false;
            owner_.rules_changed_.notify_all();
            owner_.alarm_->wake();  // also when the store has failed
        }

    private:
        engine_base& owner_;
    };
    [[nodiscard]] job_turn turn_of(const queued_job& job) const;
    [[nodiscard]] outcome decide() const { return {options_.retry, clock_.lived(), parts_.random->unit()}; }

    // Showing.
    void show(job_snapshot picture, board::place wanted = board::place::spare);
    void publish();
    void publish_soon();

    home_process process_;
    strand home_;
    engine_parts parts_;
    options options_;
    store_clock clock_;
    observer_hub hub_;
    board board_;
    ledger ledger_;
    scheduler scheduler_;
    host_health hosts_;
    due_jobs due_;               // paused ones that go on by themselves,
    bool pauses_known_ = false;  // as far as the store has been read:
    std::optional<job_record> last_parked_;
    holds holds_;
    bandwidth bandwidth_;
    bool rules_change_ = false;
    condition rules_changed_;
    run_environment environment_;
    running_jobs running_;
    std::unique_ptr<alarm> alarm_;
    std::unique_ptr<cleaner> cleaner_;
    condition phase_changed_;
    awaited_ends ends_;
    lifecycle life_;
    std::exception_ptr fatal_;

private:
    static asio::awaitable<void> open_store(std::shared_ptr<engine_base> self);
    asio::awaitable<void> read_store(bool again);
    static asio::awaitable<void> fill_board(std::shared_ptr<engine_base> self);
    asio::awaitable<void> list_everything();

    // What runs query and report.
    [[nodiscard]] bool delivers() const noexcept override { return life_.is_open(); }
    void on_committed(const job_snapshot& now) override;
    void on_leftover() override;
    void on_placed(const job_record& job) override;

    std::exception_ptr open_failure_;
    bool publish_scheduled_ = false;
    bool board_incomplete_ = false;
    bool filling_ = false;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/engine_base.ipp>
#include <waybill/engine/queue/placing.ipp>
#include <waybill/engine/show/engine_show.ipp>
#endif
