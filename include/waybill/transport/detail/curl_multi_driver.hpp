// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/transport/detail/curl_handle.hpp>
#include <waybill/transport/detail/socket_watch.hpp>

#include <asio/steady_timer.hpp>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstdint>
#include <memory>
#include <new>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace waybill::detail {

/// Is notified when a transfer ends. Called on the strand, outside of libcurl.
class transfer_listener {
public:
    virtual void on_done(CURLcode result) noexcept = 0;
    /// The connection is established and the request is about to be sent.
    [[nodiscard]] virtual bool connected() const noexcept = 0;
    /// The socket that libcurl waits for on its behalf; -1: none any more. Called from inside libcurl.
    virtual void on_socket(curl_socket_t fd) noexcept = 0;

protected:
    ~transfer_listener() = default;
};

/// Drives one curl multi handle from an Asio strand with `curl_multi_socket_action`.
///
/// Ownership runs from the coroutine frame to the driver, never back: a transfer is a local of
/// the coroutine that awaits it, and the driver holds plain pointers to it. Should the io_context
/// be destroyed, the frames go first, take their transfers out, and the last of them takes the
/// driver along; a driver that owned handlers would form a cycle and leak.
///
/// @par Thread safety
///   All members are called on the strand.
class curl_multi_driver : public std::enable_shared_from_this<curl_multi_driver> {
public:
    explicit curl_multi_driver(asio::any_io_executor executor) : executor_(std::move(executor)), timer_(executor_) {
        curl_startup();
        multi_.reset(curl_multi_init());
        if (!multi_) {
            throw std::bad_alloc();
        }
        curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &curl_multi_driver::socket_callback);
        curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
        curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &curl_multi_driver::timer_callback);
        curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
    }

    curl_multi_driver(const curl_multi_driver&) = delete;
    curl_multi_driver& operator=(const curl_multi_driver&) = delete;

    ~curl_multi_driver() {
        assert(active_.empty());
        // Closing the pooled connections would call back into a partly destroyed object.
        curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, nullptr);
        curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, nullptr);
        multi_.reset();
        for (const auto& [fd, watched] : watches_) {
            watched->close();
        }
    }

    /// A transfer in the multi handle, for the lifetime of this object.
    class registration {
    public:
        registration(std::shared_ptr<curl_multi_driver> driver, CURL* easy, transfer_listener& listener)
            : driver_(std::move(driver)), easy_(easy) {
            driver_->add(easy_, listener);
        }
        registration(const registration&) = delete;
        registration& operator=(const registration&) = delete;
        ~registration() { driver_->remove(easy_); }

    private:
        std::shared_ptr<curl_multi_driver> driver_;
        CURL* easy_;
    };

    /// Called by a watch whose descriptor is ready.
    void on_ready(int fd, bool readable) { act(fd, readable ? CURL_CSELECT_IN : CURL_CSELECT_OUT); }

private:
    using watch = socket_watch<curl_multi_driver>;

    void add(CURL* easy, transfer_listener& listener) {
        set_option(easy, CURLOPT_PRIVATE, static_cast<void*>(&listener));
        if (const CURLMcode rc = curl_multi_add_handle(multi_.get(), easy); rc != CURLM_OK) {
            throw error(errc::transport_failed, curl_multi_strerror(rc));
        }
        active_.insert(easy);
        unwatched_.reserve(active_.size());
    }

    void remove(CURL* easy) noexcept {
        if (active_.erase(easy) != 0) {
            const CURLMcode rc = curl_multi_remove_handle(multi_.get(), easy);
            assert(rc == CURLM_OK);
            static_cast<void>(rc);
        }
    }

    void act(curl_socket_t fd, int events) {
        removals_ = 0;
        int running = 0;
        CURLMcode rc = curl_multi_socket_action(multi_.get(), fd, events, &running);
        if (rc == CURLM_OK && removals_ > 0 && needs_nudge() && any_connecting()) {
            // libcurl 7.88 tries a host's next address only when its timer fires, seconds later, unless every transfer
            // is processed.
            CURL_IGNORE_DEPRECATION(rc = curl_multi_socket_all(multi_.get(), &running);)
        }
        assert(rc != CURLM_RECURSIVE_API_CALL);
        harvest();
        if (rc != CURLM_OK) {
            fail_all();
        }
        fail_unwatched();
    }

    static bool needs_nudge() noexcept {
        static const bool needed = curl_runtime_version() < 0x080000;
        return needed;
    }

    [[nodiscard]] bool any_connecting() const noexcept {
        return std::any_of(active_.begin(), active_.end(), [](CURL* easy) { return !listener_of(easy).connected(); });
    }

    [[nodiscard]] static transfer_listener& listener_of(CURL* easy) noexcept {
        char* listener = nullptr;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &listener);
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): CURLINFO_PRIVATE is typed char*
        return *reinterpret_cast<transfer_listener*>(listener);
    }

    // One action can finish any number of transfers: drain all messages.
    void harvest() {
        int left = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
            if (message->msg == CURLMSG_DONE) {
                // The message dies with remove_handle: copy first.
                CURL* const easy = message->easy_handle;
                const CURLcode result = message->data.result;
                finish(easy, result);
            }
        }
    }

    void finish(CURL* easy, CURLcode result) {
        remove(easy);
        listener_of(easy).on_done(result);
    }

    // "The state of all transfers is uncertain", says libcurl's manual about such a code.
    void fail_all() {
        const std::unordered_set<CURL*> all = active_;
        for (CURL* easy : all) {
            finish(easy, CURLE_FAILED_INIT);
        }
    }

    // There is no free descriptor to watch their sockets with: fail as if there had been none to connect.
    void fail_unwatched() {
        while (!unwatched_.empty()) {
            CURL* const easy = unwatched_.back();
            unwatched_.pop_back();
            if (active_.contains(easy)) {
                finish(easy, CURLE_COULDNT_CONNECT);
            }
        }
    }

    void on_socket(curl_socket_t fd, int what) {
        const auto known = watches_.find(fd);
        if (what == CURL_POLL_REMOVE) {
            ++removals_;
            if (known != watches_.end()) {
                known->second->close();
                watches_.erase(known);
            }
            return;
        }
        std::shared_ptr<watch> found = known != watches_.end() ? known->second : nullptr;
        if (!found) {
            found = std::make_shared<watch>(executor_, weak_from_this(), fd);
            watches_.emplace(fd, found);
        }
        found->want(what != CURL_POLL_OUT, what != CURL_POLL_IN);
    }

    void on_timer(long milliseconds) {
        const std::uint64_t generation = ++timer_generation_;
        if (milliseconds < 0) {
            timer_.cancel();
            return;
        }
        // Zero takes the same path: libcurl must not be called from inside its own callback.
        timer_.expires_after(std::chrono::milliseconds(milliseconds));
        timer_.async_wait([weak = weak_from_this(), generation](std::error_code) {
            // cancel() cannot recall a completion that is already queued; the generation can.
            const auto self = weak.lock();
            if (self && self->timer_generation_ == generation) {
                self->act(CURL_SOCKET_TIMEOUT, 0);
            }
        });
    }

    // Never reports a failure: libcurl 7.88 would end all transfers, and keep counting this one's interest for the next
    // user of the socket's number, which then busy-loops.
    static int socket_callback(CURL* easy, curl_socket_t fd, int what, void* self, void* /*socket*/) noexcept {
        auto& driver = *static_cast<curl_multi_driver*>(self);
        if (driver.active_.contains(easy)) {  // libcurl closes pooled connections with internal handles
            listener_of(easy).on_socket(what == CURL_POLL_REMOVE ? CURL_SOCKET_BAD : fd);
        }
        try {
            driver.on_socket(fd, what);
        } catch (...) {
            std::vector<CURL*>& noted = driver.unwatched_;
            if (noted.size() < noted.capacity() && std::find(noted.begin(), noted.end(), easy) == noted.end()) {
                noted.push_back(easy);  // there is room for every transfer
            }
        }
        return 0;
    }

    static int timer_callback(CURLM* /*multi*/, long milliseconds, void* self) noexcept {
        try {
            static_cast<curl_multi_driver*>(self)->on_timer(milliseconds);
            return 0;
        } catch (...) {
            return -1;
        }
    }

    asio::any_io_executor executor_;
    asio::steady_timer timer_;
    std::uint64_t timer_generation_ = 0;
    std::unordered_map<curl_socket_t, std::shared_ptr<watch>> watches_;
    std::unordered_set<CURL*> active_;
    std::vector<CURL*> unwatched_;
    int removals_ = 0;
    multi_handle multi_;
};

}  // namespace waybill::detail
