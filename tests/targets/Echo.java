// SPDX-License-Identifier: GPL-2.0-or-later
// Echo CONNECTIONS ROUNDS [wait]: threads send known bytes to each other over TCP, by blocking sockets at one end and by
// channels (NIO, with a selector at every other one) at the other, while memory is collected.
import java.io.DataInputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

public class Echo {
    static final AtomicLong sent = new AtomicLong(), received = new AtomicLong();
    static final AtomicBoolean failed = new AtomicBoolean(), ended = new AtomicBoolean();

    interface Work {
        void run() throws Exception;
    }

    static Thread start(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (Throwable error) {
                error.printStackTrace();
                failed.set(true);
                System.exit(1);
            }
        });
        thread.start();
        return thread;
    }

    static int sizeOf(int number, int round) {
        return 1 + (round * 977 + number * 131) % 20000;
    }

    static void serve(SocketChannel channel, int number, int rounds) throws Exception {
        Selector selector = number % 2 == 0 ? null : Selector.open();
        SelectionKey key = null;
        if (selector != null) {
            channel.configureBlocking(false);
            key = channel.register(selector, SelectionKey.OP_READ);
        }
        for (int round = 0; round < rounds; round++) {
            ByteBuffer bytes = ByteBuffer.allocateDirect(sizeOf(number, round));
            move(channel, bytes, selector, key, false);
            bytes.flip();
            move(channel, bytes, selector, key, true);
        }
        channel.close();
        if (selector != null)
            selector.close();
    }

    static void move(SocketChannel channel, ByteBuffer bytes, Selector selector, SelectionKey key, boolean write)
            throws Exception {
        while (bytes.hasRemaining()) {
            if (selector != null) {
                key.interestOps(write ? SelectionKey.OP_WRITE : SelectionKey.OP_READ);
                selector.select();
                selector.selectedKeys().clear();
            }
            int count = write ? channel.write(bytes) : channel.read(bytes);
            if (count < 0)
                throw new IllegalStateException("end of stream");
            (write ? sent : received).addAndGet(count);
        }
    }

    static void talk(Socket socket, int number, int rounds) throws Exception {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        OutputStream out = socket.getOutputStream();
        for (int round = 0; round < rounds; round++) {
            byte[] bytes = new byte[sizeOf(number, round)], answer = new byte[bytes.length];
            for (int i = 0; i < bytes.length; i++)
                bytes[i] = (byte) (i * 31 + round + number);
            out.write(bytes);
            sent.addAndGet(bytes.length);
            in.readFully(answer);
            received.addAndGet(answer.length);
            if (!Arrays.equals(bytes, answer))
                throw new IllegalStateException("other bytes came back");
        }
        socket.close();
    }

    static void collect() throws Exception {
        while (!ended.get()) {
            System.gc();
            Thread.sleep(20);
        }
    }

    public static void main(String[] words) throws Exception {
        int connections = Integer.parseInt(words[0]), rounds = Integer.parseInt(words[1]);
        ServerSocketChannel listener = ServerSocketChannel.open();
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        int port = listener.socket().getLocalPort();
        if (words.length > 2) {
            System.out.println("ready");
            System.in.read();
        }
        Thread collector = start(Echo::collect);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < connections; i++) {
            int number = i;
            Socket client = new Socket(InetAddress.getLoopbackAddress(), port);
            SocketChannel server = listener.accept();
            threads.add(start(() -> serve(server, number, rounds)));
            threads.add(start(() -> talk(client, number, rounds)));
        }
        for (Thread thread : threads)
            thread.join();
        ended.set(true);
        collector.join();
        System.out.println("{\"sent\": " + sent + ", \"received\": " + received + "}");
        System.exit(failed.get() ? 1 : 0);
    }
}
