// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/event.hpp>
#include <waybill/error.hpp>
#include <waybill/platform/interfaces.hpp>
#include <waybill/platform/socket.hpp>
#include <waybill/transport/detail/curl_handle.hpp>
#include <waybill/transport/detail/curl_multi_driver.hpp>
#include <waybill/transport/detail/early_answer.hpp>
#include <waybill/transport/detail/failure_text.hpp>
#include <waybill/transport/detail/response_reader.hpp>
#include <waybill/transport/request.hpp>
#include <waybill/transport/response.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace waybill::detail {

/// The state of one request in libcurl: the easy handle and what its callbacks read and write.
/// A local of `curl_transport::perform`; never moved, because libcurl holds its address.
class curl_transfer final : public transfer_listener {
public:
    curl_transfer(const request& what, transfer_progress& progress, const asio::any_io_executor& executor,
                  easy_handle easy)
        : what_(what), progress_(progress), reader_(what.limits), size_(what.body_size()), bell_(executor),
          easy_(std::move(easy)) {}
    curl_transfer(const curl_transfer&) = delete;
    curl_transfer& operator=(const curl_transfer&) = delete;
    ~curl_transfer() = default;

    [[nodiscard]] CURL* easy() const noexcept { return easy_.get(); }
    [[nodiscard]] event& bell() noexcept { return bell_; }
    [[nodiscard]] bool done() const noexcept { return done_; }
    /// It is done, and was answered before the last of the body had left: that is still leaving.
    [[nodiscard]] bool draining() noexcept { return done_ && given_ == size_ && early_.leaving(); }
    [[nodiscard]] bool connected() const noexcept override { return connected_; }
    void on_socket(curl_socket_t fd) noexcept override { socket_ = fd; }
    /// When it last got on. The bell rings when it enters another phase: another limit holds then.
    [[nodiscard]] std::chrono::steady_clock::time_point moved() const noexcept { return moved_; }
    [[nodiscard]] std::uint64_t interims() const noexcept { return interims_; }
    /// When to `look` again though nothing happens: libcurl hears nothing of what the kernel sends.
    [[nodiscard]] std::chrono::steady_clock::time_point next_look() const noexcept {
        const bool waits = connected_ && size_ > 0 && !progress_.body_sent && !at_gate();
        const std::chrono::milliseconds pause = done_ ? often : seldom;
        return waits ? looked_ + pause : std::chrono::steady_clock::time_point::max();
    }

    /// Brings the progress up to date: what the kernel still holds has not been sent.
    void look() noexcept {
        looked_ = std::chrono::steady_clock::now();
        if (done_ && (!early_.came() || early_.refused()) && reader_.final_status() / 100 != 2) {
            return;  // what the kernel held of it is lost, or not wanted
        }
        take_given();
        const std::uint64_t queued = early_.came() ? early_.look() : unacknowledged(own_socket());
        const std::uint64_t held = size_ == 0 ? 0 : queued;
        const std::uint64_t arrived = std::max(progress_.sent, given_ - std::min(held, given_));
        const bool all_sent = connected_ && given_ == size_ && held == 0;
        if (arrived != progress_.sent || all_sent != progress_.body_sent) {
            moved_ = looked_;
        }
        if (all_sent != progress_.body_sent) {
            bell_.set();
        }
        progress_.sent = arrived;
        progress_.body_sent = all_sent;
    }
    [[nodiscard]] bool at_gate() const noexcept { return at_gate_ && !gate_open_; }
    /// The body is handed to libcurl in one piece, which it sends together with the header. Libcurl repeats such a
    /// body unseen when a kept connection turns out to be dead, and there is no gate in it: what must not be repeated
    /// and what is marked is streamed, however small.
    [[nodiscard]] bool in_one_piece() const noexcept {
        return size_ == 0 || (size_ <= small_body && what_.idempotent && !what_.finishing);
    }

    /// Reads a small body into memory. Throws what the source throws.
    void load_small_body() {
        small_.resize(static_cast<std::size_t>(size_));
        if (size_ > 0) {
            what_.body->read(what_.offset, small_);
        }
        offered_ = size_;
    }
    [[nodiscard]] const std::string& small_body_bytes() const noexcept { return small_; }

    [[nodiscard]] bool ended_well() const noexcept { return done_ && result_ == CURLE_OK; }
    /// Gives the handle away, once it is in no multi handle any more.
    [[nodiscard]] easy_handle take_easy() noexcept { return std::move(easy_); }

    /// Lets the last byte go.
    void open_gate() {
        gate_open_ = true;
        if (at_gate_ && !done_) {
            curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
        }
    }

    /// Registers the callbacks that a streamed body and every answer need.
    void hook(bool through_proxy) {
        CURL* const e = easy_.get();
        through_proxy_ = through_proxy;
        set_option(e, CURLOPT_READFUNCTION, &read_callback);
        set_option(e, CURLOPT_READDATA, static_cast<void*>(this));
        set_option(e, CURLOPT_SEEKFUNCTION, &seek_callback);
        set_option(e, CURLOPT_SEEKDATA, static_cast<void*>(this));
        set_option(e, CURLOPT_WRITEFUNCTION, &write_callback);
        set_option(e, CURLOPT_WRITEDATA, static_cast<void*>(this));
        set_option(e, CURLOPT_HEADERFUNCTION, &header_callback);
        set_option(e, CURLOPT_HEADERDATA, static_cast<void*>(this));
        set_option(e, CURLOPT_XFERINFOFUNCTION, &progress_callback);
        set_option(e, CURLOPT_XFERINFODATA, static_cast<void*>(this));
        set_option(e, CURLOPT_NOPROGRESS, 0);
        set_option(e, CURLOPT_PREREQFUNCTION, &connected_callback);
        set_option(e, CURLOPT_PREREQDATA, static_cast<void*>(this));
        set_option(e, CURLOPT_ERRORBUFFER, error_text_);
    }

    void on_done(CURLcode result) noexcept override {
        done_ = true;
        result_ = result;
        socket_ = CURL_SOCKET_BAD;
        take_given();
        bell_.set();
    }

    /// Ends the request from outside: its own watchdog, or a source that failed.
    void fail(errc why, std::string detail) {
        failure_ = why;
        failure_detail_ = std::move(detail);
    }

    [[nodiscard]] response take_response() {
        if (done_ && refuses_headers(result_, error_text_)) {
            reader_.stop_waiting();
        }
        response out;
        reader_.move_to(out);
        out.body_offered = offered_;
        out.body_taken = given_;
        out.may_have_left = connected_ && (in_one_piece() ? given_ == size_ : offered_ == size_);
        out.has_left = reader_.final_status() != 0 && given_ == size_ && (!early_.came() || early_.took_all());
        out.transport_code = done_ ? static_cast<int>(result_) : 0;
        out.transport_text = error_text_[0] != '\0' || !done_ ? error_text_ : curl_easy_strerror(result_);
        out.failure_detail = failure_detail_;
        long connections = 0;
        long os_error = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_NUM_CONNECTS, &connections);
        curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &os_error);
        // A rewind is asked for, and a request repeated, after the kept connection had died and a new one stood.
        out.reused_connection = connected_ && (connections == 0 || result_ == CURLE_SEND_FAIL_REWIND || repeated_);
        if (failure_) {
            out.failure = failure_;
        } else if (done_ && result_ != CURLE_OK) {
            const connect_facts known = facts();
            const bool unwelcome = is_about_client_certificate(result_, error_text_);
            const errc why = unwelcome ? errc::tls_failed : blame(to_errc(result_, os_error, connected_), known);
            out.may_have_left = out.may_have_left && !unwelcome;
            out.failure_detail = out.failure_detail.empty() ? failure_text(known) : out.failure_detail;
            out.failure = why == errc::host_not_found && !has_network() ? errc::network_unreachable : why;
        } else if (out.status == 0) {
            out.failure = errc::connection_lost;  // an answer that ends in its headers is a success to libcurl
        }
        if (result_ == CURLE_OK) {
            out.transport_text.clear();
        }
        out.body_cut = out.body_cut || (out.status != 0 && (!done_ || result_ != CURLE_OK));
        return out;
    }

private:
    // Up to this size header and body leave in one send: twice the rate for small files.
    static constexpr std::uint64_t small_body = 64 << 10;
    // How often the kernel is asked what it holds: while bytes are handed over, and while none are.
    static constexpr std::chrono::milliseconds often{20};
    static constexpr std::chrono::milliseconds seldom{200};

    /// Where the request's bytes wait, and no other's. -1: not known, or a connection that may carry several.
    [[nodiscard]] curl_socket_t own_socket() const noexcept {
        return connected_ && !may_share_connection(what_.url) ? socket_ : CURL_SOCKET_BAD;
    }

    /// Called with the final status. A server's answer acknowledges all that its machine has received: what is not
    /// acknowledged by now it did not have when it answered. Whether it takes the rest is seen at the end. A reset may
    /// have arrived right behind the answer: it empties the kernel's queue, and nobody can say any more what was in it.
    void note_answer() noexcept {
        take_given();
        const int fd = own_socket();
        const bool early = size_ > 0 && (given_ < size_ || unacknowledged(fd) > 0 || is_dead(fd));
        if (early && fd != CURL_SOCKET_BAD) {
            const bool wanted = reader_.final_status() < 400;
            early_.note(fd, !wanted || reader_.ends_connection(), what_.url.starts_with("https:"));
            if (wanted) {
                // Not a byte of another request may follow, or its bytes would be counted, too.
                curl_easy_setopt(easy_.get(), CURLOPT_FORBID_REUSE, 1L);
            }
        }
    }

    [[nodiscard]] bool worth_a_look(std::uint64_t given) const noexcept {
        if (size_ == 0) {
            return !progress_.body_sent;
        }
        const bool last = given >= size_;
        return given > given_ && (last || std::chrono::steady_clock::now() >= looked_ + often);
    }

    void take_given() noexcept {
        curl_off_t count = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_SIZE_UPLOAD_T, &count);
        given_ = std::min(static_cast<std::uint64_t>(std::max<curl_off_t>(count, 0)), size_);
    }

    /// What there is to say of a connection that did not come about.
    [[nodiscard]] connect_facts facts() const noexcept {
        connect_facts known;
        known.result = result_;
        known.text = error_text_;
        known.through_proxy = through_proxy_;
        if (connected_) {
            return known;
        }
        long of_proxy = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_HTTP_CONNECTCODE, &known.proxy_status);
        curl_easy_getinfo(easy_.get(), CURLINFO_SSL_VERIFYRESULT, &known.verify);
        curl_easy_getinfo(easy_.get(), CURLINFO_PROXY_SSL_VERIFYRESULT, &of_proxy);
        known.verify = known.verify != 0 ? known.verify : of_proxy;
        return known;
    }

    std::size_t give(std::span<char> room) {
        const std::uint64_t left = size_ - offered_;
        std::uint64_t most = left;
        if (what_.before_last_byte && !gate_open_) {
            if (left <= 1) {
                at_gate_ = true;
                bell_.set();
                return CURL_READFUNC_PAUSE;
            }
            most = left - 1;
        }
        // The cap is the length that was announced: not one byte of a file that grew may follow.
        const std::span<char> piece = room.first(static_cast<std::size_t>(std::min<std::uint64_t>(most, room.size())));
        if (!piece.empty()) {
            what_.body->read(what_.offset + offered_, piece);
            offered_ += piece.size();
        }
        return piece.size();
    }

    void take_interim(const response_reader::interim& said) {
        ++interims_;
        moved_ = std::chrono::steady_clock::now();
        bell_.set();
        if (std::exchange(offered_at_interim_, offered_) < offered_) {
            reader_.forgive();
        }
        if (what_.on_interim) {
            what_.on_interim(said.status, said.headers);
        }
    }

    void fail_with_current_exception() noexcept {
        try {
            throw;
        } catch (const error& e) {
            failure_ = e.code();
            failure_detail_ = e.details().detail;
        } catch (const std::system_error& e) {
            failure_ = e.code();
        } catch (...) {
            failure_ = errc::source_read_failed;
        }
    }

    static std::size_t read_callback(char* to, std::size_t size, std::size_t count, void* self) noexcept {
        auto* const t = static_cast<curl_transfer*>(self);
        try {
            return t->give({to, size * count});
        } catch (...) {
            t->fail_with_current_exception();
            return CURL_READFUNC_ABORT;
        }
    }

    // libcurl asks to rewind when it wants to send the body once more: on a dead kept connection,
    // a redirect, an authentication. Refusing makes that a visible failure instead of a duplicate.
    static int seek_callback(void* /*self*/, curl_off_t /*offset*/, int /*origin*/) noexcept {
        return CURL_SEEKFUNC_FAIL;
    }

    static std::size_t write_callback(char* from, std::size_t size, std::size_t count, void* self) noexcept {
        auto* const t = static_cast<curl_transfer*>(self);
        try {
            return t->reader_.body({from, size * count}) ? size * count : 0;
        } catch (...) {
            t->fail_with_current_exception();
            return 0;
        }
    }

    static std::size_t header_callback(char* from, std::size_t size, std::size_t count, void* self) noexcept {
        auto* const t = static_cast<curl_transfer*>(self);
        try {
            const bool answered = t->reader_.final_status() != 0;
            const bool taken = t->reader_.line({from, size * count});
            if (!answered && t->reader_.final_status() != 0) {
                t->note_answer();
            }
            if (!taken) {
                t->failure_ = errc::response_too_large;
                t->failure_detail_ = "response headers";
                return 0;
            }
            if (t->reader_.final_status() == 417) {
                return 0;  // libcurl 7.88 would go on using this connection in the middle of the body
            }
            if (const auto interim = t->reader_.take_interim()) {
                t->take_interim(*interim);
            }
            return size * count;
        } catch (...) {
            t->fail_with_current_exception();
            return 0;
        }
    }

    static int progress_callback(void* self, curl_off_t /*dltotal*/, curl_off_t /*dlnow*/, curl_off_t /*ultotal*/,
                                 curl_off_t sent) noexcept {
        auto* const t = static_cast<curl_transfer*>(self);
        if (t->connected_ && t->worth_a_look(static_cast<std::uint64_t>(std::max<curl_off_t>(sent, 0)))) {
            t->look();
        }
        return 0;
    }

    static int connected_callback(void* self, char* /*remote*/, char* /*local*/, int /*rport*/,
                                  int /*lport*/) noexcept {
        auto* const t = static_cast<curl_transfer*>(self);
        // When a kept connection dies before libcurl knows of a byte that left, it sends the request once more, and
        // asks for no rewind. What it has read of the body by then is gone: the server would be sent the rest as the
        // beginning. TLS makes that likely, where a write counts only when all of it has been taken.
        if (t->offered_ > 0 && !t->in_one_piece()) {
            t->repeated_ = true;
            t->failure_ = errc::connection_lost;
            return CURL_PREREQFUNC_ABORT;
        }
        t->connected_ = true;
        t->progress_.connected = true;
        t->moved_ = std::chrono::steady_clock::now();
        t->bell_.set();
        return CURL_PREREQFUNC_OK;
    }

    const request& what_;
    transfer_progress& progress_;
    response_reader reader_;
    std::uint64_t size_;
    std::uint64_t offered_ = 0;  // handed to libcurl
    std::uint64_t given_ = 0;    // handed to the kernel by libcurl
    std::uint64_t offered_at_interim_ = 0;
    std::uint64_t interims_ = 0;
    curl_socket_t socket_ = CURL_SOCKET_BAD;
    early_answer early_;
    std::chrono::steady_clock::time_point looked_{};
    std::string small_;
    event bell_;
    std::chrono::steady_clock::time_point moved_{};
    bool through_proxy_ = false;
    bool connected_ = false;
    bool repeated_ = false;  // libcurl wanted to send the request a second time
    bool at_gate_ = false;
    bool gate_open_ = false;
    bool done_ = false;
    CURLcode result_ = CURLE_OK;
    std::error_code failure_;
    std::string failure_detail_;
    char error_text_[CURL_ERROR_SIZE] = {};
    easy_handle easy_;
};

}  // namespace waybill::detail
