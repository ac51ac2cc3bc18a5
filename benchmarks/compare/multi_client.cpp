// SPDX-License-Identifier: BSL-1.0
//
// curl multi on an Asio loop with nothing around it: no store, no retry, no progress, no identity of
// files, no answer kept. What is left between it and Waybill is the price of the promises.
#include "compare/order.hpp"

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <curl/curl.h>

#include <map>
#include <memory>

#include <fcntl.h>
#include <unistd.h>

namespace {

using waybill::bench::give_up;
using waybill::bench::upload_order;

struct upload {
    CURL* easy = curl_easy_init();
    int fd = -1;
    std::string target;
    std::string small;
};

class loop {
public:
    explicit loop(const upload_order& order) : order_(order) {
        curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &on_socket);
        curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
        curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &on_timer);
        curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
        headers_ = curl_slist_append(curl_slist_append(nullptr, "Expect:"), "Content-Type: application/octet-stream");
    }

    void run() {
        while (running_ < order_.in_flight && next_ < order_.files.size()) {
            begin(std::make_unique<upload>());
        }
        context_.run();
    }

private:
    struct watched {
        explicit watched(asio::io_context& context, int fd) : descriptor(context, fd) {}
        ~watched() { descriptor.release(); }
        asio::posix::stream_descriptor descriptor;
        int wanted = 0;
        bool reading = false;
        bool writing = false;
    };

    void begin(std::unique_ptr<upload> u) {
        const std::string& file = order_.files[next_++];
        u->fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
        if (u->fd < 0) {
            give_up("cannot open " + file);
        }
        const auto size = std::filesystem::file_size(file);
        u->target = order_.target(file);
        CURL* const e = u->easy;
        curl_easy_reset(e);
        curl_easy_setopt(e, CURLOPT_URL, u->target.c_str());
        curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers_);
        curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(e, CURLOPT_FAILONERROR, 1L);
        curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, "PUT");
        if (!order_.ca.empty()) {
            curl_easy_setopt(e, CURLOPT_CAINFO, order_.ca.c_str());
        }
        if (size <= 64 << 10) {
            u->small.resize(size);
            if (::pread(u->fd, u->small.data(), size, 0) != static_cast<ssize_t>(size)) {
                give_up("cannot read " + file);
            }
            curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(size));
            curl_easy_setopt(e, CURLOPT_POSTFIELDS, u->small.data());
        } else {
            curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
            curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size));
            curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, 2L << 20);
            curl_easy_setopt(e, CURLOPT_READFUNCTION, &read);
            curl_easy_setopt(e, CURLOPT_READDATA, u.get());
        }
        curl_easy_setopt(e, CURLOPT_PRIVATE, u.get());
        ++running_;
        curl_multi_add_handle(multi_, u.release()->easy);
    }

    void act(curl_socket_t fd, int events) {
        int running = 0;
        curl_multi_socket_action(multi_, fd, events, &running);
        int left = 0;
        while (CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
            CURL* const easy = message->easy_handle;
            const CURLcode rc = message->data.result;
            char* own = nullptr;
            curl_easy_getinfo(easy, CURLINFO_PRIVATE, &own);
            std::unique_ptr<upload> u(reinterpret_cast<upload*>(own));
            if (rc != CURLE_OK) {
                give_up(u->target + ": " + curl_easy_strerror(rc));
            }
            curl_multi_remove_handle(multi_, easy);
            ::close(u->fd);
            --running_;
            if (next_ < order_.files.size()) {
                begin(std::move(u));
            } else {
                curl_easy_cleanup(easy);
            }
        }
        if (running_ == 0) {
            context_.stop();
        }
    }

    void arm(curl_socket_t fd, const std::shared_ptr<watched>& w) {
        const auto wait = [&](bool read) {
            bool& busy = read ? w->reading : w->writing;
            if (busy || (w->wanted & (read ? CURL_POLL_IN : CURL_POLL_OUT)) == 0) {
                return;
            }
            busy = true;
            w->descriptor.async_wait(
                read ? asio::posix::descriptor_base::wait_read : asio::posix::descriptor_base::wait_write,
                [this, fd, w, read](std::error_code ec) {
                    (read ? w->reading : w->writing) = false;
                    const auto known = watched_.find(fd);
                    if (ec || known == watched_.end() || known->second != w) {
                        return;
                    }
                    act(fd, read ? CURL_CSELECT_IN : CURL_CSELECT_OUT);
                    const auto still = watched_.find(fd);
                    if (still != watched_.end() && still->second == w) {
                        arm(fd, w);
                    }
                });
        };
        wait(true);
        wait(false);
    }

    static int on_socket(CURL* /*easy*/, curl_socket_t fd, int what, void* self, void* /*own*/) {
        auto& l = *static_cast<loop*>(self);
        if (what == CURL_POLL_REMOVE) {
            l.watched_.erase(fd);
            return 0;
        }
        auto& w = l.watched_[fd];
        if (!w) {
            w = std::make_shared<watched>(l.context_, fd);
        }
        w->wanted = what;
        l.arm(fd, w);
        return 0;
    }

    static int on_timer(CURLM* /*multi*/, long milliseconds, void* self) {
        auto& l = *static_cast<loop*>(self);
        l.timer_.cancel();
        if (milliseconds >= 0) {
            l.timer_.expires_after(std::chrono::milliseconds(milliseconds));
            l.timer_.async_wait([&l](std::error_code ec) {
                if (!ec) {
                    l.act(CURL_SOCKET_TIMEOUT, 0);
                }
            });
        }
        return 0;
    }

    static std::size_t read(char* to, std::size_t size, std::size_t count, void* own) {
        const ssize_t got = ::read(static_cast<upload*>(own)->fd, to, size * count);
        return got < 0 ? CURL_READFUNC_ABORT : static_cast<std::size_t>(got);
    }

    const upload_order& order_;
    asio::io_context context_{1};
    asio::steady_timer timer_{context_};
    CURLM* multi_ = curl_multi_init();
    curl_slist* headers_ = nullptr;
    std::map<curl_socket_t, std::shared_ptr<watched>> watched_;
    std::size_t next_ = 0;
    std::size_t running_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const upload_order order(argc, argv);
    curl_global_init(CURL_GLOBAL_ALL);
    loop(order).run();
    std::_Exit(0);  // it owns nothing that must be put away
}
