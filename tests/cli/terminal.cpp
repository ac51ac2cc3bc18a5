// SPDX-License-Identifier: BSL-1.0
#include "cli/terminal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace waybill::test {
namespace {

bool begins_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}

/// Columns of a UTF-8 text whose characters all are one column wide.
std::size_t width(std::string_view text) {
    std::size_t columns = 0;
    for (const char c : text) {
        columns += begins_character(c) ? 1 : 0;
    }
    return columns;
}

}  // namespace

terminal::terminal(unsigned short rows, unsigned short columns) : rows_(rows), columns_(columns) {
    const winsize size{rows, columns, 0, 0};
    std::array<char, 64> name{};
    // Our own end of the device stays open: without it, reading would fail between the program's
    // start and its opening.
    if (::openpty(&master_, &keep_open_, name.data(), nullptr, &size) != 0) {
        throw std::system_error(errno, std::generic_category(), "openpty");
    }
    device_ = name.data();
    ::fcntl(master_, F_SETFL, O_NONBLOCK);
    ::fcntl(master_, F_SETFD, FD_CLOEXEC);
    ::fcntl(keep_open_, F_SETFD, FD_CLOEXEC);
}

terminal::~terminal() {
    ::close(master_);
    ::close(keep_open_);
}

void terminal::resize(unsigned short rows, unsigned short columns) {
    const winsize size{rows, columns, 0, 0};
    if (::ioctl(master_, TIOCSWINSZ, &size) != 0) {
        throw std::system_error(errno, std::generic_category(), "TIOCSWINSZ");
    }
    rows_ = rows;
    columns_ = columns;
}

bool terminal::take() {
    std::array<char, 65536> piece;
    const ssize_t got = ::read(master_, piece.data(), piece.size());
    if (got <= 0) {
        return false;
    }
    written_.append(piece.data(), static_cast<std::size_t>(got));
    return true;
}

void terminal::read_until(process& writer, const std::function<bool(const std::string&)>& enough) {
    for (bool ended = false; !ended && !enough(written_);) {
        pollfd readable{master_, POLLIN, 0};
        ::poll(&readable, 1, 50);
        ended = !writer.running();  // before the last look, or its last words would be missed
        while (take()) {
        }
    }
}

void terminal::read_until_end(process& writer) {
    read_until(writer, [](const std::string&) { return false; });
    interpret();
}

void terminal::interpret() {
    std::vector<std::string> lines(1);
    std::size_t row = 0;
    const auto show = [&] {
        std::vector<std::string> frame = lines;
        if (frame.back().empty()) {
            frame.pop_back();
        }
        frames_.push_back(frame);
    };
    const auto top = [&] { return lines.size() > rows_ ? lines.size() - rows_ : 0; };
    const auto down = [&] {
        if (++row == lines.size()) {
            lines.emplace_back();
        }
    };
    for (std::size_t i = 0; i < written_.size(); ++i) {
        const char c = written_[i];
        if (c == '\n') {
            down();
        } else if (c == '\033') {
            const std::size_t end = written_.find_first_of("FJ", i);
            if (end == std::string::npos || written_[i + 1] != '[') {
                throw std::runtime_error("an escape sequence this terminal does not know");
            }
            const std::string number = written_.substr(i + 2, end - i - 2);
            if (written_[end] == 'F') {
                show();
                row -= std::min(std::stoul(number), row - top());
            } else if (number.empty()) {
                lines.resize(row + 1);
                lines[row].clear();
            } else {
                throw std::runtime_error("an escape sequence this terminal does not know");
            }
            i = end;
        } else if (c != '\r') {  // the terminal itself puts it before each line end
            if (begins_character(c) && width(lines[row]) == columns_) {
                down();
            }
            lines[row] += c;
        }
    }
    show();
}

}  // namespace waybill::test
