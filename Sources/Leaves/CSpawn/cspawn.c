#define _GNU_SOURCE
#include "cspawn.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

int cspawn_close_from(void *actions, int first) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ >= 34))
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
#else
    (void)actions;
    (void)first;
    return 0;
#endif
}

int cspawn_die_with_parent(int number) {
#if defined(__linux__)
    return prctl(PR_SET_PDEATHSIG, number) == 0 ? 0 : errno;
#else
    (void)number;
    return 0;
#endif
}

// Between fork and exec only what is safe in a signal handler may be called: other threads held locks that nobody will release.
static void run_child(
    const char *path, char *const arguments[], char *const environment[], const char *directory, int output, int death_signal,
    int new_session, pid_t parent, int report) {
    if (new_session ? setsid() < 0 : setpgid(0, 0) < 0) goto failed;
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    umask(022);
    if (directory && chdir(directory) < 0) goto failed;
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) goto failed;
    long limit = sysconf(_SC_OPEN_MAX);
    if (limit < 0 || limit > 65536) limit = 65536;
    for (int descriptor = 3; descriptor < limit; descriptor++)
        if (descriptor != report) close(descriptor);
    if (death_signal) {
        cspawn_die_with_parent(death_signal);
        if (getppid() != parent) _exit(127);  // gone before we asked
    }
    execve(path, arguments, environment);
failed:;
    int code = errno;
    ssize_t written = write(report, &code, sizeof code);
    (void)written;
    _exit(127);
}

int cspawn_start(
    const char *path, char *const arguments[], char *const environment[], const char *directory, int output, int death_signal,
    int new_session, pid_t *pid) {
    int ends[2];
    if (pipe(ends) < 0) return errno;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    // No signal handler of ours may run in the child before its signals are its own.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        run_child(path, arguments, environment, directory, output, death_signal, new_session, parent, ends[1]);
    }
    int code = child < 0 ? errno : 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (child > 0) {
        ssize_t count;
        do count = read(ends[0], &code, sizeof code); while (count < 0 && errno == EINTR);
        if (count == (ssize_t)sizeof code) {
            int status;
            while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
        } else {
            code = 0;
            *pid = child;
        }
    }
    close(ends[0]);
    return code;
}

// As in `run_child`: only calls that are safe in a signal handler.
static void run_guard(int input) {
    enum { most = 1024 };
    static struct cspawn_ward wards[most];
    int count = 0;
    setsid();
    for (int number = 1; number < NSIG; number++) signal(number, SIG_IGN);
    long limit = sysconf(_SC_OPEN_MAX);
    if (limit < 0 || limit > 65536) limit = 65536;
    for (int descriptor = 0; descriptor < limit; descriptor++)
        if (descriptor != input) close(descriptor);
    for (;;) {
        struct cspawn_ward ward;
        ssize_t got = read(input, &ward, sizeof ward);  // whole: shorter than PIPE_BUF
        if (got < 0 && errno == EINTR) continue;
        if (got != (ssize_t)sizeof ward) break;
        int index = 0;
        while (index < count && wards[index].group != ward.group) index++;
        if (ward.signal == 0) {
            if (index < count) wards[index] = wards[--count];
        } else if (index < count || count < most) {
            wards[index] = ward;
            if (index == count) count++;
        }
    }
    for (int index = 0; index < count; index++)
        if (wards[index].group > 1) kill(-wards[index].group, wards[index].signal);
    for (int round = 0; round < 50 && count > 0; round++) {
        usleep(100000);
        for (int index = count - 1; index >= 0; index--)
            if (kill(-wards[index].group, 0) < 0) wards[index] = wards[--count];
    }
    for (int index = 0; index < count; index++) kill(-wards[index].group, SIGKILL);
    _exit(0);
}

int cspawn_guard(int input) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    // Twice, so that it is nobody's child to wait for.
    pid_t child = fork();
    if (child == 0) {
        pid_t guard = fork();
        if (guard == 0) run_guard(input);
        _exit(guard < 0 ? 1 : 0);
    }
    int code = child < 0 ? errno : 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (child > 0) {
        int status = 0;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
        if (status != 0) code = EAGAIN;
    }
    return code;
}
