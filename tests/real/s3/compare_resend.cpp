// SPDX-License-Identifier: BSL-1.0
//
// Kills an upload by S3 with kill -9 when its server has taken 90 % of the file, starts the client again, and counts
// what the server was sent beyond the file. The clients are Waybill and rclone; both send parts of 8 MiB, four at once.
//
//   compare_s3_resend [bytes]

#include "cli/command.hpp"
#include "support/http_record.hpp"
#include "support/s3_server.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

using namespace waybill::test;

namespace {

constexpr std::uint64_t part = 8 << 20;

/// A client's two runs: the one that is killed, and the one that finishes.
struct contender {
    std::string name;
    std::function<process()> begin;
    std::function<void()> finish;
};

s3_behaviour measuring() {
    s3_behaviour how;
    how.keeps_bytes = false;
    return how;
}

/// Some of its bytes are no zeros: what lands at a wrong place is found out.
void make_file(const std::string& path, std::uint64_t size) {
    std::ofstream(path, std::ios::binary) << random_bytes(1 << 20);
    std::filesystem::resize_file(path, size);
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    for (std::uint64_t at = part; at + part < size; at += part) {
        file.seekp(static_cast<std::streamoff>(at));
        file << at;
    }
}

std::vector<std::string> sums_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::vector<std::string> sums;
    std::string piece(part, '\0');
    while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0) {
        sums.push_back(sha256(std::string_view(piece).substr(0, static_cast<std::size_t>(in.gcount()))));
    }
    return sums;
}

void compare(s3_server& server, const contender& client, const std::string& file, std::uint64_t size) {
    const std::uint64_t before = server.bytes_taken();
    process first = client.begin();
    while (server.bytes_taken() - before < size / 10 * 9) {
        if (first.wait(std::chrono::milliseconds(1))) {
            throw std::runtime_error(client.name + " ended too early: " + first.words());
        }
    }
    first.kill(SIGKILL);
    first.wait(std::chrono::seconds(30));
    const std::uint64_t at_kill = server.bytes_taken() - before;
    client.finish();
    const std::uint64_t sent = server.bytes_taken() - before;
    if (server.objects().at("/bucket/" + client.name).part_sums != sums_of(file)) {
        throw std::runtime_error(client.name + ": what arrived is not the file");
    }
    std::printf("%-10s %14llu %14llu %14llu\n", client.name.c_str(), static_cast<unsigned long long>(at_kill),
                static_cast<unsigned long long>(sent), static_cast<unsigned long long>(sent - size));
}

void must_end_well(const command_line& what) {
    const finished_process done = run_process(what, std::chrono::minutes(5));
    if (done.status.code != 0) {
        throw std::runtime_error(what.argv.front() + ": " + done.out + done.err);
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::uint64_t size = argc > 1 ? std::stoull(argv[1]) : std::uint64_t{1} << 30;
        ::setenv("AWS_ACCESS_KEY_ID", s3_server::access_key, 1);
        ::setenv("AWS_SECRET_ACCESS_KEY", s3_server::secret_key, 1);
        ::unsetenv("AWS_SESSION_TOKEN");
        ::unsetenv("AWS_CA_BUNDLE");  // rclone would read it for plain HTTP, too
        s3_server server(measuring(), reads_little());
        const command waybill;
        const std::string file = waybill.dir() / "file";
        make_file(file, size);

        waybill.add({"--to", server.url("/bucket/waybill"), "--via", "s3", "--part-size", std::to_string(part),
                     "--parallel", "4", file});
        const contender ours{"waybill",
                             [&] {
                                 return waybill.start({"run", "--progress", "none"}, waybill.dir() / "out");
                             },
                             [&] {
                                 must_end_well(waybill.line({"run", "--until-idle", "--progress", "none"}));
                             }};
        command_line copy;
        copy.argv = {"rclone",
                     "--config",
                     "/dev/null",
                     "--s3-provider",
                     "Other",
                     "--s3-env-auth",
                     "--s3-region",
                     "us-east-1",
                     "--s3-endpoint",
                     server.url(""),
                     "--s3-force-path-style",
                     "--s3-no-check-bucket",
                     "--s3-disable-checksum",
                     "--s3-chunk-size",
                     "8Mi",
                     "--s3-upload-cutoff",
                     "8Mi",
                     "--s3-upload-concurrency",
                     "4",
                     "--ignore-checksum",
                     "copyto",
                     file,
                     ":s3:bucket/rclone"};
        copy.out_file = copy.err_file = waybill.dir() / "rclone";
        const contender theirs{"rclone", [&] { return process(copy); }, [&] { must_end_well(copy); }};

        std::printf("%-10s %14s %14s %14s\n", "client", "at the kill", "sent in all", "more than 1x");
        compare(server, ours, file, size);
        compare(server, theirs, file, size);
        return 0;
    } catch (const std::exception& e) {
        std::cerr << e.what() << std::endl;
        return 1;
    }
}
