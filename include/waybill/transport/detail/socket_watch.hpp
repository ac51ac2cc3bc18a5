// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/platform/unique_fd.hpp>

#include <asio/error.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

namespace waybill::detail {

/// Watches one of libcurl's sockets for readiness.
///
/// It watches a duplicate of the descriptor. libcurl 7.88 to 8.4 closes a connecting socket before reporting it. By
/// then the descriptor number may have been reused, and deregistering it would remove an unrelated descriptor from the
/// event loop. The duplicate belongs to this object alone, so closing it is always safe.
///
/// libcurl reports its interest only when it changes, and Asio's waits are one-shot: a wait that ended is started again
/// for as long as the interest lasts, in both directions.
template <class Owner>
class socket_watch : public std::enable_shared_from_this<socket_watch<Owner>> {
public:
    /// Throws `std::system_error` when the process has no free descriptor.
    socket_watch(const asio::any_io_executor& executor, std::weak_ptr<Owner> owner, int fd)
        : owner_(std::move(owner)), fd_(fd), duplicate_(executor) {
        unique_fd copy = duplicate_of(fd);
        if (!copy) {
            throw std::system_error(errno, std::generic_category());
        }
        duplicate_.assign(copy.get());
        static_cast<void>(copy.release());
    }

    void want(bool read, bool write) {
        read_.wanted = read;
        write_.wanted = write;
        arm(read_, asio::posix::descriptor_base::wait_read);
        arm(write_, asio::posix::descriptor_base::wait_write);
    }

    /// libcurl has lost interest. A wait that is already queued may still complete; `dead_` distinguishes it, because
    /// the descriptor's number may be in use again by then.
    void close() {
        dead_ = true;
        std::error_code ignored;
        duplicate_.close(ignored);
    }

private:
    struct direction {
        bool wanted = false;
        bool waiting = false;
    };

    void arm(direction& d, asio::posix::descriptor_base::wait_type type) {
        if (dead_ || !d.wanted || d.waiting) {
            return;
        }
        d.waiting = true;
        duplicate_.async_wait(type, [self = this->shared_from_this(), &d, type](std::error_code ec) {
            d.waiting = false;
            const auto owner = self->owner_.lock();
            if (!owner || self->dead_ || ec == asio::error::operation_aborted) {
                return;
            }
            if (d.wanted) {
                owner->on_ready(self->fd_, type == asio::posix::descriptor_base::wait_read);
            }
            self->arm(d, type);
        });
    }

    std::weak_ptr<Owner> owner_;
    int fd_;
    asio::posix::stream_descriptor duplicate_;
    direction read_;
    direction write_;
    bool dead_ = false;
};

}  // namespace waybill::detail
