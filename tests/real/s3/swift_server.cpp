// SPDX-License-Identifier: BSL-1.0
#include "real/s3/swift_server.hpp"

#include <chrono>
#include <filesystem>
#include <pwd.h>
#include <stdexcept>
#include <utility>

#include <unistd.h>

namespace waybill::test {
namespace {

// Swift changes to a user it is told, even if it is that one already.
std::string this_user() {
    const passwd* const user = ::getpwuid(::geteuid());
    return user == nullptr ? "root" : user->pw_name;
}

finished_process must_succeed(command_line what) {
    const std::string program = what.argv.front();
    finished_process done = run_process(std::move(what), std::chrono::minutes(2));
    if (done.status.code != 0) {
        throw std::runtime_error(program + " ended with " + std::to_string(done.status.code) + ": " + done.err);
    }
    return done;
}

}  // namespace

swift_server::swift_server() : port_(free_port()) {
    std::filesystem::create_directories(dir_.path() / "devices/d1");
    dir_.write("swift.conf",
               "[swift-hash]\nswift_hash_path_suffix = s\nswift_hash_path_prefix = p\n"
               "[storage-policy:0]\nname = Policy-0\ndefault = yes\n");
    const std::uint16_t memcached = free_port();
    start({"memcached", "-u", this_user(), "-l", "127.0.0.1", "-p", std::to_string(memcached), "-m", "32"});
    for (const std::string name : {"account", "container", "object"}) {
        const std::uint16_t port = free_port();
        make_ring(name, port);
        write_storage_server(name, port);
        start({"swift-" + name + "-server", dir_ / (name + "-server.conf")});
        processes_.back().wait_for_port(port, std::chrono::minutes(2));
    }
    write_proxy(memcached);
    start({"swift-proxy-server", dir_ / "proxy-server.conf"});
    processes_.back().wait_for_port(port_, std::chrono::minutes(2));
    const std::string host = "127.0.0.1:" + std::to_string(port_);
    dir_.write("s3cfg", "[default]\naccess_key = " + std::string(access_key) + "\nsecret_key = " + secret_key +
                            "\nhost_base = " + host + "\nhost_bucket = " + host +
                            "\nuse_https = False\nsignature_v2 = False\nbucket_location = us-east-1\n");
    s3cmd({"mb", "s3://bucket"});
}

void swift_server::start(std::vector<std::string> argv) {
    command_line what;
    what.err_file = what.out_file = dir_ / (argv.front() + ".log");
    what.argv = std::move(argv);
    what.env = {{"SWIFT_CONF_DIR", dir_.path().string()}};
    processes_.emplace_back(what);
}

void swift_server::make_ring(const std::string& name, std::uint16_t port) const {
    const std::string builder = dir_ / (name + ".builder");
    const std::string device = "r1z1-127.0.0.1:" + std::to_string(port) + "/d1";
    const std::vector<std::vector<std::string>> steps = {
        {"create", "4", "1", "1"}, {"add", device, "1"}, {"rebalance"}};
    for (const std::vector<std::string>& step : steps) {
        command_line what;
        what.argv = {"swift-ring-builder", builder};
        what.argv.insert(what.argv.end(), step.begin(), step.end());
        const finished_process done = run_process(what, std::chrono::minutes(2));
        if (done.status.code > 1) {  // 1: it warns that one device is no redundancy
            throw std::runtime_error("swift-ring-builder: " + done.out + done.err);
        }
    }
}

void swift_server::write_storage_server(const std::string& name, std::uint16_t port) const {
    dir_.write(name + "-server.conf",
               "[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = " + std::to_string(port) + "\nworkers = 0\nuser = " +
                   this_user() + "\nswift_dir = " + dir_.path().string() + "\ndevices = " + (dir_ / "devices") +
                   "\nmount_check = false\ndisable_fallocate = true\nfallocate_reserve = 0\nlog_address = /dev/null\n"
                   "[pipeline:main]\npipeline = " +
                   name + "-server\n[app:" + name + "-server]\nuse = egg:swift#" + name + "\n");
}

void swift_server::write_proxy(std::uint16_t memcached) const {
    std::string text =
        "[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = " + std::to_string(port_) +
        "\nworkers = 0\nuser = " + this_user() + "\nswift_dir = " + dir_.path().string() +
        "\nlog_address = /dev/null\n"
        "[pipeline:main]\npipeline = catch_errors gatekeeper healthcheck proxy-logging cache "
        "listing_formats bulk s3api tempauth slo dlo versioned_writes symlink proxy-logging proxy-server\n"
        "[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n"
        "[filter:proxy-logging]\nuse = egg:swift#proxy_logging\n"
        "[filter:cache]\nuse = egg:swift#memcache\nmemcache_servers = 127.0.0.1:" +
        std::to_string(memcached) +
        "\n[filter:s3api]\nuse = egg:swift#s3api\nlocation = us-east-1\n"
        "[filter:tempauth]\nuse = egg:swift#tempauth\nuser_test_tester = testing .admin\n";
    for (const std::string name : {"catch_errors", "gatekeeper", "healthcheck", "listing_formats", "bulk", "slo", "dlo",
                                   "versioned_writes", "symlink"}) {
        text += "[filter:" + name + "]\nuse = egg:swift#" + name + "\n";
    }
    dir_.write("proxy-server.conf", text);
}

std::string swift_server::s3cmd(std::vector<std::string> arguments) const {
    command_line what;
    what.argv = {"s3cmd", "-c", dir_ / "s3cfg", "--no-progress"};
    what.argv.insert(what.argv.end(), arguments.begin(), arguments.end());
    return must_succeed(std::move(what)).out;
}

std::string swift_server::read(const std::string& key) const {
    const std::string back = dir_ / "back";
    s3cmd({"get", "--force", "s3://bucket/" + key, back});
    return read_file(back);
}

}  // namespace waybill::test
