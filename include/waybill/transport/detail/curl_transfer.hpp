// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/detail/event.hpp>
#include <waybill/error.hpp>
#include <waybill/platform/socket.hpp>
#include <waybill/transport/detail/curl_handle.hpp>
#include <waybill/transport/detail/curl_multi_driver.hpp>
#include <waybill/transport/detail/early_response_watch.hpp>
#include <waybill/transport/detail/failure_text.hpp>
#include <waybill/transport/detail/pacing.hpp>
#include <waybill/transport/detail/response_reader.hpp>
#include <waybill/transport/request.hpp>
#include <waybill/transport/response.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace waybill::detail {

/// The state of one request in libcurl: the easy handle and what its callbacks read and write.
/// A local of `curl_transport::perform`; never moved, because libcurl holds its address.
class curl_transfer final : public transfer_listener, public paced {
public:
    curl_transfer(const request& what, transfer_progress& progress, const asio::any_io_executor& executor,
                  easy_handle easy, std::shared_ptr<pacing> limits)
        : what_(what), progress_(progress), reader_(what.limits), size_(what.body_size()), changed_(executor),
          easy_(std::move(easy)), pace_(std::move(limits), what, *this), one_piece_(pace_.in_one_piece(small_body)) {}
    curl_transfer(const curl_transfer&) = delete;
    curl_transfer& operator=(const curl_transfer&) = delete;
    ~curl_transfer() = default;

    [[nodiscard]] CURL* easy() const noexcept { return easy_.get(); }
    [[nodiscard]] event& changed() noexcept { return changed_; }
    [[nodiscard]] bool done() const noexcept { return done_; }
    /// It is done, and the response came before the end of the body was sent: that is still in flight.
    [[nodiscard]] bool draining() noexcept { return done_ && given_ == size_ && early_.in_flight(); }
    [[nodiscard]] bool connected() const noexcept override { return connected_; }
    /// A transfer that is paused keeps its connection, although libcurl stops watching the socket once the server has
    /// closed its side.
    void on_socket(curl_socket_t fd) noexcept override {
        socket_ = fd == CURL_SOCKET_BAD && is_paused_for(held_by::limit) ? socket_ : fd;
    }
    /// The time of its last progress. The event is set when it enters another phase: another timeout holds then.
    [[nodiscard]] std::chrono::steady_clock::time_point moved() const noexcept { return moved_; }
    [[nodiscard]] std::uint64_t interims() const noexcept { return interims_; }
    /// When to `look` again even without an event: libcurl does not report what the kernel sends.
    [[nodiscard]] std::chrono::steady_clock::time_point next_look() const noexcept {
        const bool waits = connected_ && size_ > 0 && !progress_.body_sent && !at_gate();
        const std::chrono::milliseconds pause = done_ ? often : seldom;
        return waits ? looked_ + pause : std::chrono::steady_clock::time_point::max();
    }

    /// Brings the progress up to date: what the kernel still holds has not been sent.
    void look() noexcept;
    [[nodiscard]] bool at_gate() const noexcept { return is_paused_for(held_by::gate); }
    /// The limits let it connect, and send a body that is handed over in one piece. If not, the event is set when to
    /// ask again.
    [[nodiscard]] bool may_begin() {
        begun_ = begun_ || (pace_.has_started() && (!in_one_piece() || pace_.take_all(small_size())));
        return begun_;
    }
    /// Nothing moves because of a limit, not because of the server: it has received all that was handed over.
    [[nodiscard]] bool held_by_limit() const noexcept {
        return is_paused_for(held_by::limit) && progress_.sent == offered_;
    }
    /// The server has closed the connection without a response. libcurl before 8.3 does not notice during a pause.
    [[nodiscard]] bool lost_while_held() const noexcept {
        return !done_ && is_paused_for(held_by::limit) && reader_.final_status() == 0 && !is_open(own_socket());
    }
    void on_pace() noexcept override {
        if (!begun_) {
            changed_.set();
        }
        resume(held_by::limit);
    }
    /// libcurl before 8.8 does not end a request whose response arrives during a pause.
    void resume_if_responded() noexcept {
        if (reader_.final_status() != 0) {
            resume(held_by::limit);
        }
    }
    /// The body is handed to libcurl in one piece, which it sends together with the header. libcurl silently repeats
    /// such a body when a reused connection turns out to be dead, and it has no gate: requests that must not be
    /// repeated, or that have an intent, are streamed, however small.
    [[nodiscard]] bool in_one_piece() const noexcept {
        return size_ == 0 || (size_ <= one_piece_ && what_.idempotent && !what_.finishing);
    }

    /// Reads a small body into memory. Throws whatever the source throws.
    void load_small_body();
    [[nodiscard]] const std::string& small_body_bytes() const noexcept { return small_; }

    /// It succeeded, and its handle can be reused. A handle that is paused would stay paused in libcurl 8.18.
    [[nodiscard]] bool ended_well() const noexcept { return done_ && result_ == CURLE_OK && paused_for_ == 0; }
    /// Releases the handle, once it is in no multi handle any more.
    [[nodiscard]] easy_handle take_easy() noexcept { return std::move(easy_); }

    /// Allows the last byte to be sent.
    void open_gate() {
        gate_open_ = true;
        resume(held_by::gate);
    }

    /// Registers the callbacks that a streamed body and every response need.
    void hook(bool through_proxy);

    void on_done(CURLcode result) noexcept override {
        done_ = true;
        result_ = result;
        socket_ = CURL_SOCKET_BAD;
        take_given();
        changed_.set();
    }

    /// Ends the request from outside: a timeout, or a source that failed.
    void fail(errc why, std::string detail) {
        failure_ = why;
        failure_detail_ = std::move(detail);
    }

    [[nodiscard]] response take_response();

private:
    // Up to this size header and body are sent in one write: twice the rate for small files.
    static constexpr std::size_t small_body = 64 << 10;
    // How often the kernel is asked what it holds: while bytes are handed over, and while none are.
    static constexpr std::chrono::milliseconds often{20};
    static constexpr std::chrono::milliseconds seldom{200};

    /// The socket whose queue holds this request's bytes only. -1: not known, or a connection that may carry several
    /// requests.
    [[nodiscard]] curl_socket_t own_socket() const noexcept {
        return connected_ && !may_share_connection(what_.url) ? socket_ : CURL_SOCKET_BAD;
    }

    /// Called with the final status. A server's response acknowledges everything its machine has received: bytes not
    /// acknowledged by now had not arrived when it responded. Whether it accepts the rest is seen at the end. A reset
    /// may have arrived directly after the response: it empties the kernel's queue, and it can no longer be determined
    /// what was in it.
    void note_response() noexcept;

    [[nodiscard]] bool worth_a_look(std::uint64_t given) const noexcept {
        if (size_ == 0) {
            return !progress_.body_sent;
        }
        const bool last = given >= size_;
        return given > given_ && (last || std::chrono::steady_clock::now() >= looked_ + often);
    }

    /// Why libcurl is paused. It is resumed when no reason remains, so that one does not undo the other.
    enum class held_by : unsigned { gate = 1, limit = 2 };

    [[nodiscard]] bool is_paused_for(held_by why) const noexcept {
        return (paused_for_ & static_cast<unsigned>(why)) != 0;
    }
    [[nodiscard]] std::size_t pause_for(held_by why) noexcept {
        paused_for_ |= static_cast<unsigned>(why);
        return CURL_READFUNC_PAUSE;
    }
    /// Must not be called from a callback of libcurl.
    void resume(held_by why) noexcept {
        const bool was_paused = is_paused_for(why);
        paused_for_ &= ~static_cast<unsigned>(why);
        if (was_paused && paused_for_ == 0 && !done_) {
            curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
        }
    }

    [[nodiscard]] std::size_t small_size() const noexcept { return static_cast<std::size_t>(size_); }

    void take_given() noexcept;

    /// Details of a connection that was not established.
    [[nodiscard]] connect_facts facts() const noexcept;

    std::size_t give(std::span<char> room);

    void take_interim(const response_reader::interim& said);

    void fail_with_current_exception() noexcept;

    static std::size_t read_callback(char* to, std::size_t size, std::size_t count, void* self) noexcept;

    // libcurl asks to rewind when it wants to send the body once more: on a dead reused connection, a redirect, an
    // authentication. Refusing makes that a visible failure instead of a duplicate.
    static int seek_callback(void* /*self*/, curl_off_t /*offset*/, int /*origin*/) noexcept {
        return CURL_SEEKFUNC_FAIL;
    }

    static std::size_t write_callback(char* from, std::size_t size, std::size_t count, void* self) noexcept;

    static std::size_t header_callback(char* from, std::size_t size, std::size_t count, void* self) noexcept;

    static int progress_callback(void* self, curl_off_t /*dltotal*/, curl_off_t /*dlnow*/, curl_off_t /*ultotal*/,
                                 curl_off_t sent) noexcept;

    static int connected_callback(void* self, char* /*remote*/, char* /*local*/, int /*rport*/, int /*lport*/) noexcept;

    const request& what_;
    transfer_progress& progress_;
    response_reader reader_;
    std::uint64_t size_;
    std::uint64_t offered_ = 0;  // handed to libcurl
    std::uint64_t given_ = 0;    // handed to the kernel by libcurl
    std::uint64_t offered_at_interim_ = 0;
    std::uint64_t interims_ = 0;
    curl_socket_t socket_ = CURL_SOCKET_BAD;
    early_response_watch early_;
    std::chrono::steady_clock::time_point looked_{};
    std::string small_;
    event changed_;
    std::chrono::steady_clock::time_point moved_{};
    bool through_proxy_ = false;
    bool connected_ = false;
    bool repeated_ = false;  // libcurl wanted to send the request a second time
    unsigned paused_for_ = 0;
    bool gate_open_ = false;
    bool begun_ = false;
    bool done_ = false;
    CURLcode result_ = CURLE_OK;
    std::error_code failure_;
    std::string failure_detail_;
    char error_text_[CURL_ERROR_SIZE] = {};
    easy_handle easy_;
    pacing::registration pace_;
    std::size_t one_piece_;  // up to this size a body is sent together with the header
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/transport/detail/curl_transfer.ipp>
#endif
