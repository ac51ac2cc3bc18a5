// SPDX-License-Identifier: BSL-1.0
//
// What you learn: nothing about uploading; this is the other end. A small HTTP server that stores files that are PUT to
// /files/<name> and forms that are POSTed to /posts, for demos on your own machine.
// Run: receiver <directory> [port] [bytes-per-second]      It prints the port it listens on.

#include <httplib.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace fs = std::filesystem;

/// Has a temporary name until it is complete, and leaves nothing behind if it never is.
struct incoming {
    fs::path target;
    double rate;  // bytes per second, for demos of a slow network; 0: as fast as it goes
    std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
    fs::path part = target.string() + "." + std::to_string(begun.time_since_epoch().count()) + ".part";
    std::ofstream out{part, std::ios::binary};

    ~incoming() { std::remove(part.c_str()); }
    bool write(const char* data, std::size_t size) {
        out.write(data, static_cast<std::streamsize>(size)).flush();
        const double due = rate > 0 ? static_cast<double>(out.tellp()) / rate : 0;
        std::this_thread::sleep_until(begun + std::chrono::duration<double>(due));
        return out.good();
    }
    void keep() const { fs::rename(part, target); }
};

int main(int argc, char** argv) {
    const fs::path directory = argc > 1 ? argv[1] : "received";
    const int wanted = argc > 2 ? std::stoi(argv[2]) : 0;
    const double rate = argc > 3 ? std::stod(argv[3]) : 0;
    fs::create_directories(directory);
    std::mutex mutex;
    std::set<std::string> answered;  // keys of stored POSTs: the same key is not stored twice
    httplib::Server server;
    server.set_socket_options([rate, ahead = 64 << 10](int socket) {
        httplib::default_socket_options(socket);  // and, like a slow network, accept little in advance
        rate > 0 ? ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &ahead, sizeof ahead) : 0;
    });
    server.Put(R"(/files/(.+))", [&](const auto& request, auto& response, const auto& body) {
        incoming file{directory / fs::path(request.matches[1].str()).filename(), rate};
        if (body([&](const char* data, std::size_t size) { return file.write(data, size); })) {
            file.keep();
            response.status = 201;
        }
    });
    server.Post("/posts", [&](const auto& request, auto& response, const auto& body) {
        std::vector<std::unique_ptr<incoming>> parts;  // null: a field
        const auto begin = [&](const auto& part) {
            const fs::path name = fs::path(part.filename).filename();
            parts.emplace_back(name.empty() ? nullptr : new incoming{directory / name, rate});
            return true;
        };
        if (body(begin, [&](auto* data, auto size) { return !parts.back() || parts.back()->write(data, size); })) {
            const std::string key = request.get_header_value("Idempotency-Key");
            const std::lock_guard lock(mutex);
            const bool fresh = key.empty() || answered.insert(key).second;
            for (std::size_t i = 0; fresh && i < parts.size(); ++i) {
                parts[i] ? parts[i]->keep() : void();
            }
            response.status = 201;
        }
    });
    std::cout << (wanted > 0 ? wanted : server.bind_to_any_port("127.0.0.1")) << std::endl;
    return (wanted > 0 ? server.listen("127.0.0.1", wanted) : server.listen_after_bind()) ? 0 : 1;
}
