// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <ifaddrs.h>
#include <memory>
#include <net/if.h>

#include <sys/socket.h>

namespace waybill::detail {

/// True when this machine has an interface other than loopback that is up and has an address. A name that does not
/// resolve is the name's fault only if there is a network to ask.
[[nodiscard]] inline bool has_network() noexcept {
    ifaddrs* all = nullptr;
    if (::getifaddrs(&all) != 0) {
        return true;  // not known: assume a network
    }
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owned(all, &::freeifaddrs);
    for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
        constexpr unsigned up = IFF_UP | IFF_RUNNING;
        const bool usable = (one->ifa_flags & up) == up && (one->ifa_flags & IFF_LOOPBACK) == 0;
        const int family = one->ifa_addr == nullptr ? AF_UNSPEC : one->ifa_addr->sa_family;
        if (usable && (family == AF_INET || family == AF_INET6)) {
            return true;
        }
    }
    return false;
}

}  // namespace waybill::detail
