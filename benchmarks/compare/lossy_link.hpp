// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/process.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

namespace waybill::bench {

/// A network namespace behind a link of 20 Mbit/s that loses every twentieth packet on its way there.
/// For root only.
class lossy_link {
public:
    lossy_link() {
        if (::geteuid() != 0) {
            throw std::runtime_error("a network namespace needs root");
        }
        run({"ip", "netns", "add", name});
        run({"ip", "link", "add", "waybill0", "type", "veth", "peer", "name", "waybill1", "netns", name});
        run({"ip", "addr", "add", "10.77.0.1/24", "dev", "waybill0"});
        run({"ip", "link", "set", "waybill0", "up"});
        run(inside({"ip", "link", "set", "lo", "up"}));
        run(inside({"ip", "addr", "add", std::string(address()) + "/24", "dev", "waybill1"}));
        run(inside({"ip", "link", "set", "waybill1", "up"}));
        run({"tc", "qdisc", "add", "dev", "waybill0", "root", "tbf", "rate", "20mbit", "burst", "32kbit", "latency",
             "100ms"});
        run(inside({"nft",
                    "add table inet lossy; add chain inet lossy in { type filter hook input priority 0; }; "
                    "add rule inet lossy in iifname waybill1 numgen random mod 100 < 5 drop"}));
    }
    lossy_link(const lossy_link&) = delete;
    lossy_link& operator=(const lossy_link&) = delete;
    ~lossy_link() { test::run_process(command({"ip", "netns", "del", name})); }

    /// The command, run behind the link.
    [[nodiscard]] static std::vector<std::string> inside(std::vector<std::string> argv) {
        argv.insert(argv.begin(), {"ip", "netns", "exec", name});
        return argv;
    }
    [[nodiscard]] static const char* address() noexcept { return "10.77.0.2"; }

private:
    static constexpr const char* name = "waybill-lossy";

    static test::command_line command(std::vector<std::string> argv) {
        test::command_line what;
        what.argv = std::move(argv);
        return what;
    }
    static void run(std::vector<std::string> argv) {
        const std::string text = argv[0] + " " + argv[1];
        const test::finished_process done = test::run_process(command(std::move(argv)));
        if (done.status.code != 0) {
            throw std::runtime_error(text + ": " + done.err);
        }
    }
};

}  // namespace waybill::bench
