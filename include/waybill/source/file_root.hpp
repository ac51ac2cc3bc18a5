// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/platform/beneath.hpp>
#include <waybill/platform/errors.hpp>
#include <waybill/platform/unique_fd.hpp>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace waybill {
/// The folder that files must lie in to be uploaded. Held open from the start, so that another folder renamed into its
/// place is not used instead. It is looked up again only while the disk it is on is not available.
///
/// @par Thread safety
///   Safe: it does not change.
class file_root {
public:
    /// Files may lie anywhere.
    file_root() = default;

    /// @param name of a folder: files may lie in it and below.
    explicit file_root(const std::string& name) : asked_(name), held_(look_up(name)) {}

    [[nodiscard]] bool anywhere() const noexcept { return asked_.empty(); }

    /// Opens `path`, which is absolute and without links, with `detail::handle_flags` or other flags. -1 and errno when
    /// it cannot be opened. Throws `errc::source_outside`, and `errc::source_unavailable` while the folder itself
    /// cannot be reached.
    [[nodiscard]] detail::unique_fd open(const std::string& path, int flags = detail::handle_flags) const {
        if (anywhere()) {
            return detail::open_path(path, flags);
        }
        if (!held_.fd) {
            return open_in(look_up(asked_), path, flags);
        }
        detail::unique_fd fd = open_in(held_, path, flags);
        if (!fd && detail::is_out_of_reach(errno)) {
            fd = open_in(look_up(asked_), path, flags);  // its disk may have been mounted again
        }
        return fd;
    }

private:
    struct folder {
        std::string path;
        detail::unique_fd fd;
    };

    [[nodiscard]] static folder look_up(const std::string& asked) {
        if (asked.empty()) {
            return {};
        }
        std::error_code ignored;
        std::string path =
            std::filesystem::weakly_canonical(std::filesystem::absolute(asked, ignored), ignored).string();
        while (path.ends_with('/')) {
            path.pop_back();
        }
        detail::unique_fd fd = detail::open_folder(path.empty() ? "/" : path);
        return {std::move(path), std::move(fd)};
    }

    [[nodiscard]] detail::unique_fd open_in(const folder& in, const std::string& path, int flags) const {
        const std::string prefix = in.path + "/";
        if (path.compare(0, prefix.size(), prefix) != 0) {
            throw error(errc::source_outside, path + " is not in " + asked_);
        }
        if (!in.fd) {
            throw error(errc::source_unavailable, path + ", because of " + asked_);
        }
        const std::string inside = path.substr(prefix.size());
        detail::unique_fd fd(detail::open_beneath(in.fd.get(), inside, flags));
        if (!fd && (errno == ENOSYS || errno == EPERM)) {
            fd = detail::unique_fd(detail::open_beneath_stepwise(in.fd.get(), inside, flags));
        }
        if (!fd && errno == EXDEV) {
            throw error(errc::source_outside, path + " is not in " + asked_);
        }
        return fd;
    }

    std::string asked_;
    folder held_;
};

}  // namespace waybill
