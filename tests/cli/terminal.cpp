// SPDX-License-Identifier: BSL-1.0
#include "cli/terminal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <cstddef>
#include <cstdlib>
#include <cwchar>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <wchar.h>

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

/// Columns of a UTF-8 text, as the C library has them.
std::size_t width(std::string_view text) {
    std::size_t columns = 0;
    std::mbstate_t state{};
    while (!text.empty()) {
        wchar_t character = 0;
        const std::size_t length = std::mbrtowc(&character, text.data(), text.size(), &state);
        if (length == 0 || length > text.size()) {
            throw std::runtime_error("what was written to the terminal is no UTF-8");
        }
        const int wide = ::wcwidth(character);
        if (wide < 0) {
            throw std::runtime_error("a control character was written to the terminal");
        }
        columns += static_cast<std::size_t>(wide);
        text.remove_prefix(length);
    }
    return columns;
}

/// The character at the beginning.
std::string_view first_of(std::string_view text) {
    std::size_t end = 1;
    while (end < text.size() && !begins_character(text[end])) {
        ++end;
    }
    return text.substr(0, end);
}

}  // namespace

terminal::terminal(unsigned short rows, unsigned short columns) : rows_(rows), columns_(columns) {
    const winsize size{rows, columns, 0, 0};
    std::setlocale(LC_CTYPE, "C.UTF-8");
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
            const std::string_view character = first_of(std::string_view(written_).substr(i));
            if (width(lines[row]) + width(character) > columns_) {
                down();
            }
            lines[row] += character;
            i += character.size() - 1;
        }
    }
    show();
}

}  // namespace waybill::test
