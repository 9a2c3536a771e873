<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
<context>
    <name>Actions</name>
    <message>
        <source>New conversation</source>
        <translation>新对话</translation>
    </message>
    <message>
        <source>Capture the screen</source>
        <translation>截取屏幕</translation>
    </message>
    <message>
        <source>Record the screen</source>
        <translation>录制屏幕</translation>
    </message>
    <message>
        <source>Attach files</source>
        <translation>添加文件</translation>
    </message>
    <message>
        <source>Go to the question</source>
        <translation>转到输入框</translation>
    </message>
    <message>
        <source>Find anything</source>
        <translation>查找</translation>
    </message>
    <message>
        <source>Show or hide conversations</source>
        <translation>显示或隐藏对话列表</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Add endpoint</source>
        <translation>添加端点</translation>
    </message>
    <message>
        <source>Shortcuts</source>
        <translation>快捷键</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>退出</translation>
    </message>
</context>
<context>
    <name>Answers</name>
    <message>
        <source>Answers</source>
        <translation>回答</translation>
    </message>
    <message>
        <source>What every conversation begins with</source>
        <translation>每次对话开头都会附上的话</translation>
    </message>
    <message>
        <source>The model&apos;s own</source>
        <translation>由模型决定</translation>
    </message>
    <message>
        <source>Instructions</source>
        <translation>系统提示</translation>
    </message>
    <message>
        <source>Longest answer, tokens</source>
        <translation>回答上限（token）</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>温度</translation>
    </message>
    <message>
        <source>Earlier questions sent along</source>
        <translation>一并发送的历史问题数</translation>
    </message>
</context>
<context>
    <name>Appearance</name>
    <message>
        <source>Appearance</source>
        <translation>外观</translation>
    </message>
    <message>
        <source>System</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>主题</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>语言</translation>
    </message>
    <message>
        <source>Thinking pane</source>
        <translation>思考栏</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Beside the answer</source>
        <translation>在回答旁边</translation>
    </message>
    <message>
        <source>Above the answer</source>
        <translation>在回答上方</translation>
    </message>
    <message>
        <source>The language changes when Sightline starts again.</source>
        <translation>重新启动 Sightline 后，语言才会改变。</translation>
    </message>
</context>
<context>
    <name>Banner</name>
    <message>
        <source>Dismiss</source>
        <translation>关闭提示</translation>
    </message>
</context>
<context>
    <name>Bar</name>
    <message>
        <source>Recording</source>
        <translation>录屏</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Finish</source>
        <translation>完成</translation>
    </message>
    <message>
        <source>Stop and choose what to send</source>
        <translation>停止并选择要发送的内容</translation>
    </message>
    <message>
        <source>Cancel the recording</source>
        <translation>取消录屏</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>{time} left</source>
        <translation>还剩 {time}</translation>
    </message>
    <message>
        <source>Starts soon</source>
        <translation>即将开始</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>已暂停</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>正在保存…</translation>
    </message>
    <message>
        <source>Nearly full</source>
        <translation>即将达到上限</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Tools for the selection</source>
        <translation>选区工具</translation>
    </message>
    <message>
        <source>Move marks</source>
        <translation>移动标注</translation>
    </message>
    <message>
        <source>Box</source>
        <translation>方框</translation>
    </message>
    <message>
        <source>Arrow</source>
        <translation>箭头</translation>
    </message>
    <message>
        <source>Pen</source>
        <translation>画笔</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>文字</translation>
    </message>
    <message>
        <source>Number</source>
        <translation>序号</translation>
    </message>
    <message>
        <source>Hide, solid: the safe one for text</source>
        <translation>涂黑：遮盖文字最稳妥</translation>
    </message>
    <message>
        <source>Pixelate: hides faces and pictures; for text, solid is safe</source>
        <translation>马赛克：适合人脸和图片；遮盖文字请用涂黑</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>重做</translation>
    </message>
    <message>
        <source>Copy the text</source>
        <translation>复制文字</translation>
    </message>
    <message>
        <source>Copy the picture</source>
        <translation>复制图片</translation>
    </message>
    <message>
        <source>Save as a file</source>
        <translation>存为文件</translation>
    </message>
    <message>
        <source>Pin to the screen</source>
        <translation>钉在屏幕上</translation>
    </message>
    <message>
        <source>Leave</source>
        <translation>退出</translation>
    </message>
    <message>
        <source>Accent</source>
        <translation>主题色</translation>
    </message>
    <message>
        <source>Red</source>
        <translation>红色</translation>
    </message>
    <message>
        <source>Yellow</source>
        <translation>黄色</translation>
    </message>
    <message>
        <source>White</source>
        <translation>白色</translation>
    </message>
    <message>
        <source>Black</source>
        <translation>黑色</translation>
    </message>
    <message>
        <source>{colour}  C: the next</source>
        <translation>{colour}  C：下一种</translation>
    </message>
    <message>
        <source>Thin  [</source>
        <translation>细  [</translation>
    </message>
    <message>
        <source>Medium</source>
        <translation>中</translation>
    </message>
    <message>
        <source>Thick  ]</source>
        <translation>粗  ]</translation>
    </message>
    <message>
        <source>Hide</source>
        <translation>遮住</translation>
    </message>
    <message>
        <source>Hide them all</source>
        <translation>全部遮住</translation>
    </message>
    <message>
        <source>Attach</source>
        <translation>附加</translation>
    </message>
    <message>
        <source>Ask · {where}</source>
        <translation>提问 · {where}</translation>
    </message>
    <message>
        <source>Ask; the picture goes to {where}</source>
        <translation>提问；图片发往{where}</translation>
    </message>
    <message>
        <source>Attach the selection</source>
        <translation>附上选区</translation>
    </message>
</context>
<context>
    <name>Border</name>
    <message>
        <source>The recorded area</source>
        <translation>录制区域</translation>
    </message>
</context>
<context>
    <name>Captures</name>
    <message>
        <source>Capture</source>
        <translation>截图</translation>
    </message>
    <message>
        <source>Click on the tray icon</source>
        <translation>单击托盘图标</translation>
    </message>
    <message>
        <source>Open window</source>
        <translation>打开窗口</translation>
    </message>
    <message>
        <source>Record</source>
        <translation>录制</translation>
    </message>
    <message>
        <source>Closing the window</source>
        <translation>关闭窗口时</translation>
    </message>
    <message>
        <source>Keep running</source>
        <translation>继续运行</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>退出</translation>
    </message>
    <message>
        <source>When a picture is taken</source>
        <translation>截图完成时</translation>
    </message>
    <message>
        <source>Flash</source>
        <translation>闪光</translation>
    </message>
    <message>
        <source>Sound</source>
        <translation>声音</translation>
    </message>
    <message>
        <source>Nothing</source>
        <translation>无</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>添加</translation>
    </message>
    <message>
        <source>Program to leave out</source>
        <translation>不截取的程序</translation>
    </message>
    <message>
        <source>Choose a program, or type its name</source>
        <translation>选择程序，或输入其名称</translation>
    </message>
    <message>
        <source>Add to the programs never captured</source>
        <translation>添加到从不截取的程序</translation>
    </message>
    <message>
        <source>The windows of these programs are blacked out in every picture and recording. Sightline&apos;s own always are.</source>
        <translation>这些程序的窗口在所有截图和录制中都会涂黑。Sightline 自己的窗口始终如此。</translation>
    </message>
    <message>
        <source>Never captured</source>
        <translation>从不截取</translation>
    </message>
    <message>
        <source>Capture {name} again</source>
        <translation>恢复截取 {name}</translation>
    </message>
</context>
<context>
    <name>Card</name>
    <message>
        <source>Password</source>
        <translation>密码</translation>
    </message>
    <message>
        <source>Unlock</source>
        <translation>解锁</translation>
    </message>
    <message>
        <source>Look at {name}</source>
        <translation>查看 {name}</translation>
    </message>
    <message>
        <source>Remove {name}</source>
        <translation>移除 {name}</translation>
    </message>
    <message>
        <source>Reading {name}</source>
        <translation>正在读取 {name}</translation>
    </message>
    <message>
        <source>Password for {name}</source>
        <translation>{name} 的密码</translation>
    </message>
    <message>
        <source>Opening…</source>
        <translation>正在打开…</translation>
    </message>
    <message>
        <source>{done} of {all}</source>
        <translation>{done} / {all}</translation>
    </message>
    <message>
        <source>Nothing to see</source>
        <translation>没有可看的内容</translation>
    </message>
    <message>
        <source>{count} pictures</source>
        <translation>{count} 张画面</translation>
    </message>
    <message>
        <source>1 page</source>
        <translation>1 页</translation>
    </message>
    <message>
        <source>{count} pages</source>
        <translation>{count} 页</translation>
    </message>
</context>
<context>
    <name>Chips</name>
    <message>
        <source>Quick actions</source>
        <translation>快捷操作</translation>
    </message>
    <message>
        <source>Read the text in the picture and copy it. Asks no model.</source>
        <translation>识别图中的文字并复制，不询问模型。</translation>
    </message>
</context>
<context>
    <name>ChordField</name>
    <message>
        <source>None</source>
        <translation>无</translation>
    </message>
    <message>
        <source>Press keys…</source>
        <translation>请按键…</translation>
    </message>
</context>
<context>
    <name>Composer</name>
    <message>
        <source>Attach files</source>
        <translation>添加文件</translation>
    </message>
    <message>
        <source>Capture the screen</source>
        <translation>截取屏幕</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>发送</translation>
    </message>
    <message>
        <source>Composer</source>
        <translation>输入区</translation>
    </message>
    <message>
        <source>Ask about your screen or a file</source>
        <translation>就屏幕或文件提问</translation>
    </message>
    <message>
        <source>Question</source>
        <translation>问题</translation>
    </message>
    <message>
        <source>This model reads the text in your pictures; it does not see them.</source>
        <comment>local</comment>
        <translation>随附的小模型只读取图片中的文字，看不到图片本身，而且主要懂英文。</translation>
    </message>
    <message>
        <source>This model reads the text in your pictures; it does not see them.</source>
        <translation>这个模型只读取图片中的文字，看不到图片本身。</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Thinking: auto</source>
        <translation>思考：自动</translation>
    </message>
    <message>
        <source>Thinking: on</source>
        <translation>思考：开</translation>
    </message>
    <message>
        <source>Thinking: off</source>
        <translation>思考：关</translation>
    </message>
    <message>
        <source>Let the model think before it answers</source>
        <translation>让模型先思考再回答</translation>
    </message>
</context>
<context>
    <name>Desk</name>
    <message>
        <source>Open settings</source>
        <translation>打开设置</translation>
    </message>
</context>
<context>
    <name>DropVeil</name>
    <message>
        <source>Drop to attach</source>
        <translation>松开即可添加</translation>
    </message>
</context>
<context>
    <name>EndpointForm</name>
    <message>
        <source>The model sees pictures</source>
        <translation>模型能看图片</translation>
    </message>
    <message>
        <source>It takes whole videos (video_url)</source>
        <translation>支持整段视频（video_url）</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Data URL</source>
        <translation>Data URL</translation>
    </message>
    <message>
        <source>Bare Base64</source>
        <translation>纯 Base64</translation>
    </message>
    <message>
        <source>Not switched</source>
        <translation>不切换</translation>
    </message>
    <message>
        <source>Chat template (vLLM, SGLang)</source>
        <translation>对话模板（vLLM、SGLang）</translation>
    </message>
    <message>
        <source>Test</source>
        <translation>测试</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>URL</source>
        <translation>地址</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>密钥</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Answers in</source>
        <translation>回答格式</translation>
    </message>
    <message>
        <source>Pictures as</source>
        <translation>图片格式</translation>
    </message>
    <message>
        <source>Thinking by</source>
        <translation>思考开关</translation>
    </message>
    <message>
        <source>Leave empty to keep the one you gave</source>
        <translation>留空则沿用已填的密钥</translation>
    </message>
    <message>
        <source>Kept in the system&apos;s keyring.</source>
        <translation>密钥保存在系统密钥环中。</translation>
    </message>
    <message>
        <source>Give the endpoint a name.</source>
        <translation>请为端点取个名称。</translation>
    </message>
    <message>
        <source>There is an endpoint of that name already.</source>
        <translation>已有同名的端点。</translation>
    </message>
    <message>
        <source>The URL has to begin with http:// or https:// and name a host.</source>
        <translation>地址须以 http:// 或 https:// 开头，并写明主机。</translation>
    </message>
    <message>
        <source>Name the model, or press Test to list what the server has.</source>
        <translation>请填写模型名称，或按“测试”列出服务器上的模型。</translation>
    </message>
    <message>
        <source>Asking the server…</source>
        <translation>正在询问服务器…</translation>
    </message>
    <message>
        <source>Saved.</source>
        <translation>已保存。</translation>
    </message>
</context>
<context>
    <name>Endpoints</name>
    <message>
        <source>Endpoints</source>
        <translation>端点</translation>
    </message>
    <message>
        <source>Your endpoints</source>
        <translation>你的端点</translation>
    </message>
    <message>
        <source>Add endpoint</source>
        <translation>添加端点</translation>
    </message>
    <message>
        <source>Without an endpoint, the model on this machine answers. Add a server that speaks the OpenAI protocol to ask a larger one.</source>
        <translation>没有端点时，由本机的模型回答。添加一台兼容 OpenAI 协议的服务器，就能向更大的模型提问。</translation>
    </message>
</context>
<context>
    <name>Farewell</name>
    <message>
        <source>Keep Sightline running?</source>
        <translation>让 Sightline 继续运行吗？</translation>
    </message>
    <message>
        <source>This desktop shows no tray icon. {key} or starting Sightline again brings the window back.</source>
        <translation>此桌面没有托盘图标。按 {key} 或再次启动 Sightline 即可找回窗口。</translation>
    </message>
    <message>
        <source>This desktop shows no tray icon. Starting Sightline again brings the window back.</source>
        <translation>此桌面没有托盘图标。再次启动 Sightline 即可找回窗口。</translation>
    </message>
    <message>
        <source>Keep running</source>
        <translation>继续运行</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>退出</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
</context>
<context>
    <name>Field</name>
    <message>
        <source>Text on the picture</source>
        <translation>图上文字</translation>
    </message>
</context>
<context>
    <name>Filmstrip</name>
    <message>
        <source>Start</source>
        <translation>开始</translation>
    </message>
    <message>
        <source>End</source>
        <translation>结束</translation>
    </message>
    <message>
        <source>What is kept of the recording</source>
        <translation>录屏中保留的部分</translation>
    </message>
</context>
<context>
    <name>Finder</name>
    <message>
        <source>Find an action or a conversation</source>
        <translation>查找操作或对话</translation>
    </message>
    <message>
        <source>Found</source>
        <translation>查找结果</translation>
    </message>
    <message>
        <source>Nothing found.</source>
        <translation>没有找到。</translation>
    </message>
</context>
<context>
    <name>Footer</name>
    <message>
        <source>Copy the answer</source>
        <translation>复制回答</translation>
    </message>
    <message>
        <source>Ask again</source>
        <translation>重新提问</translation>
    </message>
    <message>
        <source>Edit the question</source>
        <translation>修改问题</translation>
    </message>
    <message>
        <source>{count} tokens</source>
        <translation>{count} 个 token</translation>
    </message>
    <message>
        <source>first token {seconds} s</source>
        <translation>首个 token {seconds} 秒</translation>
    </message>
    <message>
        <source>{rate} tok/s</source>
        <translation>{rate} token/秒</translation>
    </message>
</context>
<context>
    <name>Gallery</name>
    <message>
        <source>Previous picture</source>
        <translation>上一张</translation>
    </message>
    <message>
        <source>Next picture</source>
        <translation>下一张</translation>
    </message>
    <message>
        <source>page {page}</source>
        <translation>第 {page} 页</translation>
    </message>
</context>
<context>
    <name>Header</name>
    <message>
        <source>Show or hide conversations</source>
        <translation>显示或隐藏对话列表</translation>
    </message>
    <message>
        <source>Who answers</source>
        <translation>由谁回答</translation>
    </message>
    <message>
        <source>Endpoint: {name}</source>
        <translation>端点：{name}</translation>
    </message>
    <message>
        <source>This machine</source>
        <translation>本机</translation>
    </message>
    <message>
        <source>Add endpoint…</source>
        <translation>添加端点…</translation>
    </message>
</context>
<context>
    <name>Hint</name>
    <message>
        <source>Mark what you mean</source>
        <translation>框选你想问的内容</translation>
    </message>
    <message>
        <source>Drag to mark  ·  click a window, or beside it for the screen  ·  Esc to leave</source>
        <translation>拖动框选  ·  点击选窗口，点空白处选整个屏幕  ·  Esc 退出</translation>
    </message>
    <message>
        <source>Drag</source>
        <translation>拖动</translation>
    </message>
    <message>
        <source>mark a region</source>
        <translation>框选一块区域</translation>
    </message>
    <message>
        <source>Click</source>
        <translation>点击</translation>
    </message>
    <message>
        <source>take a window, or the whole screen beside all windows</source>
        <translation>选中窗口；点空白处选整个屏幕</translation>
    </message>
    <message>
        <source>Arrows</source>
        <translation>方向键</translation>
    </message>
    <message>
        <source>move it by 1 px, with Ctrl by 10; with Shift change its size</source>
        <translation>移动 1 像素，按住 Ctrl 移动 10 像素，按住 Shift 调整大小</translation>
    </message>
    <message>
        <source>Space</source>
        <translation>空格</translation>
    </message>
    <message>
        <source>held while you drag, moves the region</source>
        <translation>拖动时按住，可移动选区</translation>
    </message>
    <message>
        <source>regions you marked before</source>
        <translation>之前的选区</translation>
    </message>
    <message>
        <source>Enter</source>
        <translation>回车</translation>
    </message>
    <message>
        <source>take it; a double click does so too</source>
        <translation>确认，双击也可以</translation>
    </message>
    <message>
        <source>Esc</source>
        <translation>Esc</translation>
    </message>
    <message>
        <source>leave; so does a right click</source>
        <translation>退出，右键也可以</translation>
    </message>
</context>
<context>
    <name>HotkeysPage</name>
    <message>
        <source>Hotkeys</source>
        <translation>快捷键</translation>
    </message>
    <message>
        <source>Reset to defaults</source>
        <translation>恢复默认</translation>
    </message>
    <message>
        <source>Ask about a region</source>
        <translation>询问一个区域</translation>
    </message>
    <message>
        <source>Ask about the window under the pointer</source>
        <translation>就指针下的窗口提问</translation>
    </message>
    <message>
        <source>Ask about the whole screen</source>
        <translation>就整个屏幕提问</translation>
    </message>
    <message>
        <source>Start or stop recording</source>
        <translation>开始或停止录制</translation>
    </message>
    <message>
        <source>Show the window</source>
        <translation>显示窗口</translation>
    </message>
    <message>
        <source>New chat</source>
        <translation>新对话</translation>
    </message>
    <message>
        <source>No program can take keys here: {reason}. Bind these commands to keys in your desktop&apos;s keyboard settings instead.</source>
        <translation>此处的程序无法使用全局快捷键：{reason}。请在桌面的键盘设置中为以下命令绑定按键。</translation>
    </message>
    <message>
        <source>Your desktop assigns these keys ({way}). It may ask you first, and it may choose others; its keyboard settings change them.</source>
        <translation>这些按键由桌面分配（{way}）。桌面可能先征求你的同意，也可能另选按键；可在桌面的键盘设置中更改。</translation>
    </message>
    <message>
        <source>These keys work in every program.</source>
        <translation>这些按键在任何程序中都有效。</translation>
    </message>
    <message>
        <source>These keys work in every program. They are taken through {way}.</source>
        <translation>这些按键在任何程序中都有效，通过 {way} 获取。</translation>
    </message>
    <message>
        <source>The same keys as this: {other}. Choose others.</source>
        <translation>与此项按键相同：{other}。请另选。</translation>
    </message>
</context>
<context>
    <name>Inquiry</name>
    <message>
        <source>Ask about this</source>
        <translation>就这张图提问</translation>
    </message>
    <message>
        <source>Question</source>
        <translation>问题</translation>
    </message>
    <message>
        <source>Open it in the window to add files and pictures.</source>
        <translation>要添加文件和图片，请在主窗口中打开。</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Stop  Esc</source>
        <translation>停止  Esc</translation>
    </message>
    <message>
        <source>Ask · {where}</source>
        <translation>提问 · {where}</translation>
    </message>
    <message>
        <source>this machine</source>
        <translation>本机</translation>
    </message>
</context>
<context>
    <name>Keeper</name>
    <message>
        <source>Save the picture</source>
        <translation>保存图片</translation>
    </message>
    <message>
        <source>PNG pictures (*.png)</source>
        <translation>PNG 图片 (*.png)</translation>
    </message>
    <message>
        <source>Folder:</source>
        <translation>文件夹：</translation>
    </message>
    <message>
        <source>Type:</source>
        <translation>类型：</translation>
    </message>
</context>
<context>
    <name>Library</name>
    <message>
        <source>Conversations</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>搜索</translation>
    </message>
    <message>
        <source>Search conversations</source>
        <translation>搜索对话</translation>
    </message>
    <message>
        <source>New conversation</source>
        <translation>新对话</translation>
    </message>
    <message>
        <source>Past conversations</source>
        <translation>以往的对话</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Shortcuts</source>
        <translation>快捷键</translation>
    </message>
    <message>
        <source>Nothing found.</source>
        <translation>没有找到。</translation>
    </message>
    <message>
        <source>Your conversations appear here.</source>
        <translation>你的对话会列在这里。</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>今天</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>昨天</translation>
    </message>
    <message>
        <source>Earlier</source>
        <translation>更早</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>重命名</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>删除</translation>
    </message>
</context>
<context>
    <name>Models</name>
    <message>
        <source>This machine</source>
        <translation>本机</translation>
    </message>
    <message>
        <source>There is no model here yet. Get one in a terminal, or use a folder with one.</source>
        <translation>这里还没有模型。请在终端中下载一个，或使用已有的模型文件夹。</translation>
    </message>
    <message>
        <source>Use a model folder…</source>
        <translation>使用模型文件夹…</translation>
    </message>
    <message>
        <source>A model here answers without sending anything anywhere.</source>
        <translation>由这里的模型回答时，任何内容都不会离开本机。</translation>
    </message>
    <message>
        <source>More models</source>
        <translation>更多模型</translation>
    </message>
    <message>
        <source>In a terminal, this fetches one from Hugging Face or ModelScope; “sightline models fit” says what this machine can hold.</source>
        <translation>在终端中运行下面的命令，可从 Hugging Face 或 ModelScope 下载模型；“sightline models fit”会说明本机能运行哪些模型。</translation>
    </message>
    <message>
        <source>“{name}” answers at the moment. Choose “This machine” above the conversation to ask one of these.</source>
        <translation>目前由“{name}”回答。要向这里的模型提问，请在对话上方选择“本机”。</translation>
    </message>
    <message>
        <source>Models lie in {folder}</source>
        <translation>模型存放在 {folder}</translation>
    </message>
    <message>
        <source>sees pictures</source>
        <translation>能看图片</translation>
    </message>
    <message>
        <source>reads text</source>
        <translation>只读文字</translation>
    </message>
    <message>
        <source>made ready when it first runs</source>
        <translation>首次运行时完成准备</translation>
    </message>
    <message>
        <source>adapter that names no model</source>
        <translation>适配器，未指明所属模型</translation>
    </message>
    <message>
        <source>adapter for {base}, which is not here</source>
        <translation>{base} 的适配器，但该模型不在本机</translation>
    </message>
    <message>
        <source>adapter for {base}</source>
        <translation>{base} 的适配器</translation>
    </message>
    <message>
        <source>{name} is not fetched to its end: {share} of {size} is here. To go on:</source>
        <translation>{name} 尚未下载完：{size} 中已有 {share}。继续下载：</translation>
    </message>
    <message>
        <source>Use a model folder</source>
        <translation>使用模型文件夹</translation>
    </message>
</context>
<context>
    <name>Notice</name>
    <message>
        <source>Retry</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>The answer failed.</source>
        <translation>回答失败。</translation>
    </message>
    <message>
        <source>Sightline ended before this answer did. What came is kept.</source>
        <translation>回答尚未完成，Sightline 就退出了；已收到的内容仍然保留。</translation>
    </message>
    <message>
        <source>The answer was cut at the length limit.</source>
        <translation>回答达到长度上限，已被截断。</translation>
    </message>
    <message>
        <source>Stopped.</source>
        <translation>已停止。</translation>
    </message>
    <message>
        <source>The model ended without an answer.</source>
        <translation>模型结束了，但没有给出回答。</translation>
    </message>
    <message>
        <source>Dismiss</source>
        <translation>关闭</translation>
    </message>
</context>
<context>
    <name>Offers</name>
    <message>
        <source>Explain</source>
        <translation>解释</translation>
    </message>
    <message>
        <source>Explain what this shows, shortly and clearly.</source>
        <translation>简明扼要地解释图中的内容。</translation>
    </message>
    <message>
        <source>Translate</source>
        <translation>翻译</translation>
    </message>
    <message>
        <source>Translate the text in this picture into English.</source>
        <translation>把图中的文字翻译成中文；原文是中文的，翻译成英文。</translation>
    </message>
    <message>
        <source>Extract table</source>
        <translation>提取表格</translation>
    </message>
    <message>
        <source>Write the table in this picture as a Markdown table, all of it.</source>
        <translation>把图中的表格完整地写成 Markdown 表格。</translation>
    </message>
    <message>
        <source>Copy text</source>
        <translation>复制文字</translation>
    </message>
    <message>
        <source>Fix this error</source>
        <translation>解决报错</translation>
    </message>
    <message>
        <source>What does this error mean, and how do I fix it, step by step?</source>
        <translation>这个错误是什么意思？请一步一步说明怎样解决。</translation>
    </message>
</context>
<context>
    <name>Page</name>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Copy link</source>
        <translation>复制链接</translation>
    </message>
    <message>
        <source>Copy code</source>
        <translation>复制代码</translation>
    </message>
    <message>
        <source>Copy all as Markdown</source>
        <translation>全部复制为 Markdown</translation>
    </message>
    <message>
        <source>Select all</source>
        <translation>全选</translation>
    </message>
</context>
<context>
    <name>Pane</name>
    <message>
        <source>Mark a region of {screen}</source>
        <translation>在 {screen} 上选取区域</translation>
    </message>
    <message>
        <source>Capture</source>
        <translation>截屏</translation>
    </message>
</context>
<context>
    <name>Permit</name>
    <message>
        <source>macOS must let Sightline see the screen</source>
        <translation>macOS 需要允许 Sightline 查看屏幕</translation>
    </message>
    <message>
        <source>Switch Sightline on in System Settings › Privacy &amp; Security › Screen Recording. It holds from the next start. Nothing is sent before you ask.</source>
        <translation>请在“系统设置 › 隐私与安全性 › 屏幕录制”中打开 Sightline。下次启动后生效。提问之前不会发送任何内容。</translation>
    </message>
    <message>
        <source>Open System Settings</source>
        <translation>打开系统设置</translation>
    </message>
    <message>
        <source>Quit and reopen</source>
        <translation>退出并重新打开</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>macOS lets Sightline see the screen now</source>
        <translation>macOS 已允许 Sightline 查看屏幕</translation>
    </message>
    <message>
        <source>It holds once Sightline has been started again.</source>
        <translation>重新启动 Sightline 后生效。</translation>
    </message>
</context>
<context>
    <name>Picks</name>
    <message>
        <source>Frames that will be sent</source>
        <translation>将要发送的画面</translation>
    </message>
</context>
<context>
    <name>Picture</name>
    <message>
        <source>The picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Show the picture large</source>
        <translation>放大查看图片</translation>
    </message>
</context>
<context>
    <name>Pin</name>
    <message>
        <source>Pinned picture</source>
        <translation>钉住的图片</translation>
    </message>
    <message>
        <source>Opacity {share}</source>
        <translation>不透明度 {share}</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Save…</source>
        <translation>保存…</translation>
    </message>
    <message>
        <source>Own size</source>
        <translation>原始大小</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>已复制</translation>
    </message>
</context>
<context>
    <name>Places</name>
    <message>
        <source>{reason} Starting it again</source>
        <translation>{reason} 正在重新启动</translation>
    </message>
    <message>
        <source>Preparing the built-in model, this once</source>
        <translation>正在准备内置模型（仅此一次）</translation>
    </message>
    <message>
        <source>Loading the model</source>
        <translation>正在加载模型</translation>
    </message>
</context>
<context>
    <name>Preferences</name>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Pages</source>
        <translation>页面</translation>
    </message>
    <message>
        <source>Endpoints</source>
        <translation>端点</translation>
    </message>
    <message>
        <source>This machine</source>
        <translation>本机</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>外观</translation>
    </message>
    <message>
        <source>Answers</source>
        <translation>回答</translation>
    </message>
    <message>
        <source>Capture</source>
        <translation>截图</translation>
    </message>
    <message>
        <source>Hotkeys</source>
        <translation>快捷键</translation>
    </message>
    <message>
        <source>Recording</source>
        <translation>录屏</translation>
    </message>
    <message>
        <source>Templates</source>
        <translation>模板</translation>
    </message>
</context>
<context>
    <name>Projection</name>
    <message>
        <source>The frame looked at</source>
        <translation>正在查看的画面</translation>
    </message>
</context>
<context>
    <name>Question</name>
    <message>
        <source>Question</source>
        <translation>问题</translation>
    </message>
    <message>
        <source>Show all</source>
        <translation>显示全部</translation>
    </message>
    <message>
        <source>{name}, page {page}</source>
        <translation>{name}，第 {page} 页</translation>
    </message>
    <message>
        <source>{name}, at {time:.1f} s</source>
        <translation>{name}，{time:.1f} 秒处</translation>
    </message>
</context>
<context>
    <name>Quick</name>
    <message>
        <source>Keep open</source>
        <translation>保持打开</translation>
    </message>
    <message>
        <source>Open in the window</source>
        <translation>在主窗口中打开</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>From your screen</source>
        <translation>来自屏幕</translation>
    </message>
    <message>
        <source>Ask more about it</source>
        <translation>继续追问</translation>
    </message>
    <message>
        <source>Ask Sightline</source>
        <translation>问 Sightline</translation>
    </message>
    <message>
        <source>Reading the text…</source>
        <translation>正在读取文字…</translation>
    </message>
    <message>
        <source>Text copied · 1 line</source>
        <translation>已复制文字 · 1 行</translation>
    </message>
    <message>
        <source>Text copied · {count} lines</source>
        <translation>已复制文字 · {count} 行</translation>
    </message>
    <message>
        <source>No text found.</source>
        <translation>没有找到文字。</translation>
    </message>
    <message>
        <source>Open settings</source>
        <translation>打开设置</translation>
    </message>
</context>
<context>
    <name>RecorderFlow</name>
    <message>
        <source>The recording was discarded.</source>
        <translation>录屏已丢弃。</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
    <message>
        <source>A recording from {when} was saved.</source>
        <translation>有一段 {when} 的录屏已保存下来。</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>丢弃</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
</context>
<context>
    <name>Recording</name>
    <message>
        <source>Recording</source>
        <translation>录屏</translation>
    </message>
    <message>
        <source>Show the pointer in the recording</source>
        <translation>录制鼠标指针</translation>
    </message>
    <message>
        <source>Record the microphone</source>
        <translation>录制麦克风</translation>
    </message>
    <message>
        <source>Frames a second</source>
        <translation>每秒帧数</translation>
    </message>
    <message>
        <source>Delay</source>
        <translation>延迟</translation>
    </message>
    <message>
        <source>Longest</source>
        <translation>最长</translation>
    </message>
    <message>
        <source>Largest</source>
        <translation>最大</translation>
    </message>
    <message>
        <source>A recording ends by itself when it gets too long or too large; what was recorded until then is kept.</source>
        <translation>录屏过长或过大时会自动结束，已录下的内容会保留。</translation>
    </message>
    <message>
        <source>Sound stays in the recording&apos;s file and in a whole video that is sent; it is never sent with frames.</source>
        <translation>声音只保留在录屏文件和整段发送的视频中，绝不随画面帧发送。</translation>
    </message>
    <message>
        <source>Not possible here: no microphone with PipeWire (pw-record), PulseAudio (parec) or ALSA (arecord) was found.</source>
        <translation>此处无法录音：未找到可通过 PipeWire（pw-record）、PulseAudio（parec）或 ALSA（arecord）使用的麦克风。</translation>
    </message>
    <message>
        <source>Not possible here: this build has no access to the microphone.</source>
        <translation>此处无法录音：当前版本无法访问麦克风。</translation>
    </message>
    <message>
        <source> s</source>
        <translation> 秒</translation>
    </message>
    <message>
        <source>None</source>
        <translation>无</translation>
    </message>
    <message>
        <source> min</source>
        <translation> 分钟</translation>
    </message>
    <message>
        <source> MB</source>
        <translation> MB</translation>
    </message>
</context>
<context>
    <name>Row</name>
    <message>
        <source>Clear: {action}</source>
        <translation>清除：{action}</translation>
    </message>
    <message>
        <source>Copy the command</source>
        <translation>复制命令</translation>
    </message>
    <message>
        <source>The desktop&apos;s key: {key}</source>
        <translation>桌面设定的按键：{key}</translation>
    </message>
</context>
<context>
    <name>Sheet</name>
    <message>
        <source>Shortcuts</source>
        <translation>快捷键</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Send the question</source>
        <translation>发送问题</translation>
    </message>
    <message>
        <source>Start a new line</source>
        <translation>换行</translation>
    </message>
    <message>
        <source>Stop the answer, close what is open</source>
        <translation>停止回答，关闭打开的界面</translation>
    </message>
    <message>
        <source>Rename or delete a conversation</source>
        <translation>重命名或删除对话</translation>
    </message>
</context>
<context>
    <name>Sign</name>
    <message>
        <source>Sound is recorded</source>
        <translation>正在录音</translation>
    </message>
    <message>
        <source>No sound is recorded</source>
        <translation>没有录音</translation>
    </message>
    <message>
        <source>Sound</source>
        <translation>声音</translation>
    </message>
</context>
<context>
    <name>Snip</name>
    <message>
        <source>Record</source>
        <translation>录制</translation>
    </message>
    <message>
        <source>Attach</source>
        <translation>附加</translation>
    </message>
</context>
<context>
    <name>Snippet</name>
    <message>
        <source>Copy “{text}”</source>
        <translation>复制“{text}”</translation>
    </message>
</context>
<context>
    <name>Status</name>
    <message>
        <source>Status</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>The engine&apos;s progress</source>
        <translation>引擎进度</translation>
    </message>
    <message>
        <source>Pictures stay on this machine</source>
        <translation>图片只留在本机</translation>
    </message>
    <message>
        <source>Pictures go to {host}</source>
        <translation>图片会发送到 {host}</translation>
    </message>
    <message>
        <source>Starting the engine</source>
        <translation>正在启动引擎</translation>
    </message>
    <message>
        <source>The engine did not start</source>
        <translation>引擎未能启动</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>就绪</translation>
    </message>
    <message>
        <source>first token after {seconds} s</source>
        <translation>首个 token 用时 {seconds} 秒</translation>
    </message>
    <message>
        <source>{count} tokens/s</source>
        <translation>{count} token/秒</translation>
    </message>
</context>
<context>
    <name>Strip</name>
    <message>
        <source>Attachments</source>
        <translation>附件</translation>
    </message>
</context>
<context>
    <name>Studio</name>
    <message>
        <source>this machine</source>
        <translation>本机</translation>
    </message>
    <message>
        <source>1 secret found</source>
        <translation>发现 1 处敏感信息</translation>
    </message>
    <message>
        <source>{count} secrets found</source>
        <translation>发现 {count} 处敏感信息</translation>
    </message>
    <message>
        <source>1 secret hidden</source>
        <translation>已遮住 1 处敏感信息</translation>
    </message>
    <message>
        <source>{count} secrets hidden</source>
        <translation>已遮住 {count} 处敏感信息</translation>
    </message>
    <message>
        <source>Reading the text…</source>
        <translation>正在读取文字…</translation>
    </message>
    <message>
        <source>There is no text to be read here.</source>
        <translation>这里没有可识别的文字。</translation>
    </message>
    <message>
        <source>Copied 1 character</source>
        <translation>已复制 1 个字符</translation>
    </message>
    <message>
        <source>Copied {count} characters</source>
        <translation>已复制 {count} 个字符</translation>
    </message>
</context>
<context>
    <name>Talk</name>
    <message>
        <source>Reading the text in the pictures</source>
        <translation>正在读取图片中的文字</translation>
    </message>
</context>
<context>
    <name>Templates</name>
    <message>
        <source>Templates</source>
        <translation>模板</translation>
    </message>
    <message>
        <source>Your templates</source>
        <translation>你的模板</translation>
    </message>
    <message>
        <source>Add template</source>
        <translation>添加模板</translation>
    </message>
    <message>
        <source>Move up</source>
        <translation>上移</translation>
    </message>
    <message>
        <source>Move down</source>
        <translation>下移</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>What to ask about the picture</source>
        <translation>要就图片问什么</translation>
    </message>
    <message>
        <source>A question that you ask often becomes a button beside what you capture.</source>
        <translation>经常问的问题会变成截图旁边的一个按钮。</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Question</source>
        <translation>问题</translation>
    </message>
    <message>
        <source>New template</source>
        <translation>新模板</translation>
    </message>
    <message>
        <source>Write the question, too: without it there is no button.</source>
        <translation>请把问题也写上：没有问题就没有按钮。</translation>
    </message>
</context>
<context>
    <name>ThinkingPane</name>
    <message>
        <source>Thinking</source>
        <translation>思考中</translation>
    </message>
    <message>
        <source>Thought</source>
        <translation>思考</translation>
    </message>
    <message>
        <source>Thinking · {seconds} s</source>
        <translation>思考中 · {seconds} 秒</translation>
    </message>
    <message>
        <source>Thought for {seconds} s</source>
        <translation>思考了 {seconds} 秒</translation>
    </message>
    <message>
        <source>Show the thinking</source>
        <translation>展开思考</translation>
    </message>
    <message>
        <source>Fold the thinking</source>
        <translation>收起思考</translation>
    </message>
</context>
<context>
    <name>Transcript</name>
    <message>
        <source>Conversation</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Jump to the latest</source>
        <translation>跳到最新</translation>
    </message>
    <message>
        <source>Ask about what you see.</source>
        <translation>就你看到的提问。</translation>
    </message>
</context>
<context>
    <name>Tray</name>
    <message>
        <source>Ask about a region</source>
        <translation>询问一个区域</translation>
    </message>
    <message>
        <source>Ask about a window</source>
        <translation>询问一个窗口</translation>
    </message>
    <message>
        <source>Ask about the screen</source>
        <translation>询问整个屏幕</translation>
    </message>
    <message>
        <source>Record the screen</source>
        <translation>录制屏幕</translation>
    </message>
    <message>
        <source>Finish recording</source>
        <translation>结束录制</translation>
    </message>
    <message>
        <source>Open Sightline</source>
        <translation>打开 Sightline</translation>
    </message>
    <message>
        <source>No model is loaded</source>
        <translation>没有加载模型</translation>
    </message>
    <message>
        <source>Recent conversations</source>
        <translation>最近的对话</translation>
    </message>
    <message>
        <source>Who answers</source>
        <translation>由谁回答</translation>
    </message>
    <message>
        <source>Pause hotkeys</source>
        <translation>暂停快捷键</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>退出</translation>
    </message>
    <message>
        <source>This machine</source>
        <translation>本机</translation>
    </message>
    <message>
        <source>{name} answers, at {host}</source>
        <translation>由 {name} 回答（{host}）</translation>
    </message>
    <message>
        <source>The model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>{model} is loaded</source>
        <translation>{model} 已加载</translation>
    </message>
    <message>
        <source>{model} is being loaded</source>
        <translation>正在加载 {model}</translation>
    </message>
    <message>
        <source>{model} did not start</source>
        <translation>{model} 没有启动</translation>
    </message>
    <message>
        <source>{model} is not loaded</source>
        <translation>{model} 未加载</translation>
    </message>
    <message>
        <source>Recording the screen</source>
        <translation>正在录制屏幕</translation>
    </message>
    <message>
        <source>The recording is paused</source>
        <translation>录制已暂停</translation>
    </message>
    <message>
        <source>Hotkeys are paused</source>
        <translation>快捷键已暂停</translation>
    </message>
</context>
<context>
    <name>Trim</name>
    <message>
        <source>Recording</source>
        <translation>录屏</translation>
    </message>
    <message>
        <source>Send the whole video</source>
        <translation>发送整段视频</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>丢弃</translation>
    </message>
    <message>
        <source>Save as file…</source>
        <translation>另存为文件…</translation>
    </message>
    <message>
        <source>Ask about the recording</source>
        <translation>就这段录屏提问</translation>
    </message>
    <message>
        <source>Question</source>
        <translation>问题</translation>
    </message>
    <message>
        <source>Frames at most</source>
        <translation>画面数上限</translation>
    </message>
    <message>
        <source>At most {count}</source>
        <translation>最多 {count} 张</translation>
    </message>
    <message>
        <source>Reading the recording…</source>
        <translation>正在读取录屏…</translation>
    </message>
    <message>
        <source>It ended by itself at the longest time that is set.</source>
        <translation>已达到设定的最长时间，录屏自动结束。</translation>
    </message>
    <message>
        <source>It ended by itself at the largest size that is set.</source>
        <translation>已达到设定的最大大小，录屏自动结束。</translation>
    </message>
    <message>
        <source>Once it is sent, the recording goes. Save it to keep it.</source>
        <translation>发送后录屏会被删除，如需保留请先保存。</translation>
    </message>
    <message>
        <source>this machine</source>
        <translation>本机</translation>
    </message>
    <message>
        <source>Ask · {where}</source>
        <translation>提问 · {where}</translation>
    </message>
    <message>
        <source>Ask {where}</source>
        <translation>向 {where} 提问</translation>
    </message>
    <message>
        <source>Nothing leaves this machine</source>
        <translation>内容不会离开本机</translation>
    </message>
    <message>
        <source>The frames and the question go to {where}</source>
        <translation>画面和问题将发送到 {where}</translation>
    </message>
    <message>
        <source>{start} – {end}  ·  {seconds} s of {all} s</source>
        <translation>{start} – {end}  ·  {seconds} 秒，共 {all} 秒</translation>
    </message>
    <message>
        <source>Choosing frames…</source>
        <translation>正在挑选画面…</translation>
    </message>
    <message>
        <source>The whole video will be sent, with sound</source>
        <translation>将发送整段视频（含声音）</translation>
    </message>
    <message>
        <source>The whole video will be sent</source>
        <translation>将发送整段视频</translation>
    </message>
    <message>
        <source>1 frame will be sent</source>
        <translation>将发送 1 张画面</translation>
    </message>
    <message>
        <source>{count} frames will be sent</source>
        <translation>将发送 {count} 张画面</translation>
    </message>
    <message>
        <source>about {count} tokens (estimate)</source>
        <translation>约 {count} 个 token（估算）</translation>
    </message>
    <message>
        <source>This model reads the text in them; it sees no pictures.</source>
        <translation>该模型只读取其中的文字，看不到图像。</translation>
    </message>
    <message>
        <source>Cutting the video…</source>
        <translation>正在剪切视频…</translation>
    </message>
    <message>
        <source>Save the recording</source>
        <translation>保存录屏</translation>
    </message>
    <message>
        <source>Video (*.mp4)</source>
        <translation>视频 (*.mp4)</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>正在保存…</translation>
    </message>
    <message>
        <source>Saved as {name}.</source>
        <translation>已保存为 {name}。</translation>
    </message>
</context>
<context>
    <name>TurnView</name>
    <message>
        <source>Answer</source>
        <translation>回答</translation>
    </message>
    <message>
        <source>Waiting for the model</source>
        <translation>等待模型</translation>
    </message>
</context>
<context>
    <name>Welcome</name>
    <message>
        <source>Start</source>
        <translation>开始</translation>
    </message>
    <message>
        <source>Show it, and ask.</source>
        <translation>给它看，然后问。</translation>
    </message>
    <message>
        <source>Capture the screen, or drop a picture, PDF, deck or video.</source>
        <translation>截取屏幕，或拖入图片、PDF、幻灯片、视频。</translation>
    </message>
    <message>
        <source>Capture the screen</source>
        <translation>截取屏幕</translation>
    </message>
    <message>
        <source>Try it with {name}</source>
        <translation>用 {name} 试一试</translation>
    </message>
    <message>
        <source>What is the total due?</source>
        <translation>应付总额是多少？</translation>
    </message>
    <message>
        <source>At what level does the river station warn?</source>
        <translation>水位多高时测站会报警？</translation>
    </message>
    <message>
        <source>What is the error?</source>
        <translation>出了什么错误？</translation>
    </message>
</context>
<context>
    <name>Wiring</name>
    <message>
        <source>Open settings</source>
        <translation>打开设置</translation>
    </message>
    <message>
        <source>Only files on this machine can be attached: {names}</source>
        <translation>只能添加本机上的文件：{names}</translation>
    </message>
    <message>
        <source>Pasted picture</source>
        <translation>粘贴的图片</translation>
    </message>
    <message>
        <source>“{title}” is deleted.</source>
        <translation>已删除“{title}”。</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
</context>
<context>
    <name>pin</name>
    <message>
        <source>Saved</source>
        <translation>已保存</translation>
    </message>
</context>
</TS>
