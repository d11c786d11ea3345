/* A Modbus device made with libmodbus, for any number of clients.
 *
 *   libmodbus_server tcp PORT UNIT SIZE | rtu DEVICE UNIT SIZE
 *
 * It says "READY" when it serves. Each line on its standard input sets one address and is
 * answered with "OK": "coil 5 1", "di 9 0", "hr 10 4464", "ir 3 16812". It ends with its input.
 * Each table has SIZE addresses; those beyond are refused.
 */
#include <errno.h>
#include <modbus.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEERS = 64, CONTROL = 0, DEVICE = 1, FIRST_PEER = 2 };

static modbus_mapping_t *map;
static unsigned size;

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, modbus_strerror(errno));
    exit(1);
}

static void set(const char *line)
{
    char table[8];
    unsigned address, value;
    if (sscanf(line, "%7s %u %u", table, &address, &value) != 3 || address >= size) {
        fprintf(stderr, "not understood: %s", line);
        exit(1);
    }
    if (!strcmp(table, "coil")) map->tab_bits[address] = value != 0;
    if (!strcmp(table, "di")) map->tab_input_bits[address] = value != 0;
    if (!strcmp(table, "hr")) map->tab_registers[address] = value;
    if (!strcmp(table, "ir")) map->tab_input_registers[address] = value;
    puts("OK");
}

/* One read may bring several lines: stdin must stay unbuffered beside poll(). */
static void obey(void)
{
    static char input[4096];
    static size_t length;
    ssize_t got = read(STDIN_FILENO, input + length, sizeof input - length - 1);
    if (got <= 0) exit(0);
    length += got;
    input[length] = 0;
    char *line = input, *end;
    for (; (end = strchr(line, '\n')); line = end + 1) {
        *end = 0;
        set(line);
    }
    length -= line - input;
    memmove(input, line, length);
}

/* Returns whether the peer is still there. */
static int serve(modbus_t *device)
{
    uint8_t question[MODBUS_TCP_MAX_ADU_LENGTH];
    int length = modbus_receive(device, question);
    return length >= 0 && (length == 0 || modbus_reply(device, question, length, map) >= 0);
}

int main(int count, char **words)
{
    struct pollfd wait[PEERS] = {{.fd = STDIN_FILENO, .events = POLLIN}};
    int waiting = FIRST_PEER, over_tcp;
    if (count != 5) return 2;
    size = atoi(words[4]);
    over_tcp = !strcmp(words[1], "tcp");
    setvbuf(stdout, NULL, _IOLBF, 0);
    map = modbus_mapping_new(size, size, size, size);
    modbus_t *device = over_tcp ? modbus_new_tcp("127.0.0.1", atoi(words[2]))
                                : modbus_new_rtu(words[2], 115200, 'N', 8, 1);
    if (!map || !device || modbus_set_slave(device, atoi(words[3]))) fail("create");
    if (over_tcp) {
        wait[DEVICE].fd = modbus_tcp_listen(device, PEERS);
    } else if (!modbus_connect(device)) {
        wait[DEVICE].fd = modbus_get_socket(device);
    }
    if (wait[DEVICE].fd <= 0) fail(words[2]);
    wait[DEVICE].events = POLLIN;
    puts("READY");
    for (;;) {
        if (poll(wait, waiting, -1) < 0) fail("poll");
        if (wait[CONTROL].revents) obey();
        for (int i = FIRST_PEER; i < waiting; i++) {
            if (!wait[i].revents) continue;
            modbus_set_socket(device, wait[i].fd);
            if (serve(device)) continue;
            close(wait[i].fd);
            wait[i--] = wait[--waiting];
        }
        if (wait[DEVICE].revents && !over_tcp) serve(device);
        if (wait[DEVICE].revents && over_tcp && waiting < PEERS) {
            int peer = accept(wait[DEVICE].fd, NULL, NULL);
            if (peer >= 0) wait[waiting++] = (struct pollfd){.fd = peer, .events = POLLIN};
        }
    }
}
